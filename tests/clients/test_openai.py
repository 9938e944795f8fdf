"""The `openai` SDK through the service: chat completions of the compatibility endpoint, streaming and not."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import openai
import pytest
import pytest_asyncio
from openai.types.chat import ChatCompletionMessageParam

from crouter.simulator import Reset, Scripted, Wait
from tests.behaviour.service import CREDIT_NANOUSD, MODEL, Service, until
from tests.clients.books import RATES

PATH = "/v1/chat/completions"
CHUNK = '{"id":"c", "model":"claude-haiku-4-5-20251001","choices":[{"index":0,"delta":{"content":"%s"}}]%s}'
USAGE_CHUNK = (
    '{"id":"c","model":"claude-haiku-4-5-20251001","choices" : [ ],'
    '"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}'
)


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key=service.key, base_url=f"{service.url}/v1", max_retries=0) as made:
        yield made


def user(text: str) -> list[ChatCompletionMessageParam]:
    return [{"role": "user", "content": text}]


async def assert_booked(service: Service, reported: list[tuple[int, int]]) -> None:
    """One row and one charge for each report of prompt and completion tokens."""
    rows = {row["id"]: row for row in await service.settled("usage")}
    charges = {row["id"]: -row["amount_nanousd"] for row in service.rows("ledger") if row["kind"] == "charge"}
    assert rows.keys() == charges.keys()
    assert sorted((row["input_tokens"], row["output_tokens"]) for row in rows.values()) == sorted(reported)
    rates = RATES[MODEL]
    costs = [prompt * rates["input"] + written * rates["output"] for prompt, written in reported]
    assert sorted(charges.values()) == sorted(costs)


def told(service: Service) -> list[tuple[int, int]]:
    usages = [attempt.usage for attempt in service.simulator.ledger if attempt.usage is not None]
    return [(usage["prompt_tokens"], usage["completion_tokens"]) for usage in usages]


async def test_an_answer_is_that_of_the_compatibility_endpoint_and_is_booked(
    service: Service, client: openai.AsyncOpenAI
) -> None:
    answer = await client.chat.completions.create(model=MODEL, messages=user("simulate: echo\nHello"), max_tokens=99)
    assert answer.choices[0].message.content == "Hello"
    assert answer.usage is not None
    assert told(service) == [(answer.usage.prompt_tokens, answer.usage.completion_tokens)]
    await assert_booked(service, told(service))
    request = service.simulator.ledger[0].request
    assert request is not None
    assert request.header("authorization") == f"Bearer {service.simulator.upstream_key}"
    assert request.header("x-api-key") is None


@pytest.mark.parametrize("asks", [True, False, None])
async def test_a_stream_is_booked_whether_or_not_the_client_asks_for_usage(
    service: Service, client: openai.AsyncOpenAI, asks: bool | None
) -> None:
    more: dict[str, Any] = {} if asks is None else {"stream_options": {"include_usage": asks}}
    stream = await client.chat.completions.create(
        model=MODEL, messages=user("simulate: echo\none two three four five"), stream=True, **more
    )
    chunks = [chunk async for chunk in stream]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == "one two three four five"
    assert any(chunk.usage is not None for chunk in chunks) is bool(asks)
    assert all(chunk.choices for chunk in chunks) is not bool(asks)
    assert len(told(service)) == 1
    await assert_booked(service, told(service))


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
async def test_every_byte_passes_but_the_chunk_that_only_we_asked_for(
    service: Service, asks: bool, newline: str
) -> None:
    events = [
        ": a comment" + newline,
        "data: " + CHUNK % ("naïve 💬", ',"usage":null'),
        "data:" + CHUNK % ("x" * 200_000, ""),
        'data: {"made_up_in_2031":[1,{"usage":"no object"}], "choices":[]}',
        "data: " + CHUNK % ("beside", ',"usage":{"prompt_tokens":1,"completion_tokens":1}'),
        "data: " + USAGE_CHUNK,
        "data: [DONE]",
    ]
    sent = "".join(event + 2 * newline for event in events).encode()
    kept = "".join(event + 2 * newline for event in events if asks or USAGE_CHUNK not in event).encode()
    pieces = [sent[at : at + 997] for at in range(0, len(sent), 997)]
    service.simulator.script(next=Scripted.stream(pieces))
    body = {"model": MODEL, "stream": True, "messages": user("hi"), "stream_options": {"include_usage": asks}}
    async with (
        aiohttp.ClientSession(service.url, headers={"authorization": f"Bearer {service.key}"}) as http,
        http.post(PATH, json=body) as answer,
    ):
        assert await answer.read() == kept
    await assert_booked(service, [(11, 7)])


async def test_what_the_client_asked_is_forwarded_byte_for_byte(service: Service) -> None:
    asked = (
        b'{ "model":"claude-haiku-4-5",\n"stream":true , "stream_options" : {"include_usage":true},'
        b'"made_up": {"a":1.0,"b":"\\u00e9"},"messages":[{"role":"user","content":"hi"}]}'
    )
    added = asked.replace(b'"stream_options" : {"include_usage":true},', b"")
    headers = {"authorization": f"Bearer {service.key}", "content-type": "application/json"}
    async with aiohttp.ClientSession(service.url, headers=headers) as http:
        for body in (asked, added, added.replace(b"true ", b"false ")):
            async with http.post(PATH, data=body) as answer:
                assert answer.status == 200
                await answer.read()
    requests = [attempt.request for attempt in service.simulator.ledger]
    assert requests[0] is not None
    assert requests[1] is not None
    assert requests[2] is not None
    assert requests[0].body == asked
    assert requests[2].body == added.replace(b"true ", b"false ")
    changed = json.loads(requests[1].body)
    assert changed.pop("stream_options") == {"include_usage": True}
    assert changed == json.loads(added)
    assert b'{"a":1.0,"b":"\\u00e9"}' in requests[1].body


async def test_what_was_read_from_a_cache_is_booked_apart(service: Service, client: openai.AsyncOpenAI) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 5,
        "total_tokens": 105,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    service.simulator.script(next=Scripted.json({"model": MODEL, "choices": [], "usage": usage}))
    await client.chat.completions.create(model=MODEL, messages=user("hi"))
    (row,) = await service.settled("usage")
    assert (row["input_tokens"], row["cache_read_tokens"], row["output_tokens"]) == (40, 60, 5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"model": "claude-imaginary"}, "has no price here"),
        ({"n": 2}, "n: must be 1"),
        ({"max_tokens": -1}, "max_tokens: must be a whole number"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens: must be a whole number"),
        ({"stream": "yes"}, "stream: must be true or false"),
        ({"stream": True, "stream_options": 7}, "stream_options must be a JSON object"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "include_usage: must be true or false"),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
            "files are not offered",
        ),
    ],
)
async def test_refusals_have_words_that_the_sdk_shows(
    service: Service, client: openai.AsyncOpenAI, more: dict[str, Any], said: str
) -> None:
    body = {"model": MODEL, "messages": user("hi"), **more}
    with pytest.raises(openai.BadRequestError) as caught:
        await client.post("/chat/completions", body=body, cast_to=object)
    assert said in caught.value.message
    assert caught.value.type == "invalid_request_error"
    assert len(service.simulator.ledger) == 0


async def test_a_key_given_twice_is_refused(service: Service) -> None:
    twice = b'{"model":"claude-haiku-4-5","stream_options":{},"stream":true,"model":"claude-opus-4-8","messages":[]}'
    inside = b'{"model":"claude-haiku-4-5","stream_options":{"include_usage":true,"include_usage":false},"stream":true}'
    async with aiohttp.ClientSession(service.url, headers={"authorization": f"Bearer {service.key}"}) as http:
        for body in (twice, inside):
            async with http.post(PATH, data=body) as answer:
                assert answer.status == 400
    assert len(service.simulator.ledger) == 0


async def test_errors_of_both_sides_are_the_sdks_own_classes(service: Service, client: openai.AsyncOpenAI) -> None:
    for mark, expected in (("rate_limit", openai.RateLimitError), ("overloaded", openai.InternalServerError)):
        with pytest.raises(expected):
            await client.chat.completions.create(model=MODEL, messages=user(f"simulate: {mark}"))
    with pytest.raises(openai.AuthenticationError, match="invalid API key"):
        await client.with_options(api_key="sk-cr-wrong").chat.completions.create(model=MODEL, messages=user("hi"))
    assert await service.settled("usage") == []


async def test_an_empty_balance_is_told_in_our_words(service: Service, client: openai.AsyncOpenAI) -> None:
    await service.accounts.credit(service.account, -CREDIT_NANOUSD)
    with pytest.raises(openai.APIStatusError, match="balance is too low") as caught:
        await client.chat.completions.create(model=MODEL, messages=user("hi"))
    assert (caught.value.status_code, caught.value.type) == (402, "billing_error")


@pytest.mark.parametrize("ending", [Reset(), b'data: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'])
async def test_a_stream_that_breaks_off_is_an_error_and_never_a_short_answer(
    service: Service, client: openai.AsyncOpenAI, ending: Any
) -> None:
    first = ("data: " + CHUNK % ("hi", "") + "\n\n").encode()
    service.simulator.script(next=Scripted.stream([first, Wait(0.05), ending]))
    stream = await client.chat.completions.create(model=MODEL, messages=user("hi"), stream=True)

    async def read() -> None:
        async for _ in stream:
            pass

    with pytest.raises(openai.APIError):
        await read()
    assert await service.settled("usage") == []


async def test_the_end_of_a_stream_leaves_after_its_record(service: Service, client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model=MODEL, messages=user("hi"), stream=True)
    async for _ in stream:
        pass
    assert service.running.parts.credit.holds.open == 0, "it is in the journal"
    assert len(await service.settled("usage")) == 1


async def test_a_client_that_leaves_cancels_the_upstream(service: Service, client: openai.AsyncOpenAI) -> None:
    first = ("data: " + CHUNK % ("hi", "") + "\n\n").encode()
    service.simulator.script(next=Scripted.stream([first, Wait(30)]))
    stream = await client.chat.completions.create(model=MODEL, messages=user("hi"), stream=True)
    async for _ in stream:
        break
    await stream.close()
    await until(lambda: service.simulator.ledger[0].outcome == "client_left")


async def test_many_at_once_leave_one_record_each(service: Service, client: openai.AsyncOpenAI) -> None:
    async def ask(number: int) -> None:
        text = user(f"simulate: echo\nnumber {number}")
        if number % 2:
            chunks = await client.chat.completions.create(model=MODEL, messages=text, stream=True, max_tokens=64)
            said = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])
        else:
            answer = await client.chat.completions.create(model=MODEL, messages=text, max_tokens=64)
            said = answer.choices[0].message.content or ""
        assert said == f"number {number}"

    await asyncio.gather(*map(ask, range(20)))
    assert len(told(service)) == 20
    await assert_booked(service, told(service))
