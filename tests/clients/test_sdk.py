"""The `anthropic` SDK through the service: it behaves as it does without, and what it used is in the books."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import anthropic
import httpx2
import pytest
import pytest_asyncio
from anthropic.types import MessageParam, ToolParam

from crouter.runtime.limits import Reached
from crouter.simulator import Reset, Scripted
from crouter.simulator.models import MODELS
from tests.behaviour.service import CREDIT_NANOUSD, MODEL, Service
from tests.clients.books import assert_books_agree

WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key=service.key, base_url=service.url, max_retries=0) as made:
        yield made


def user(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


async def test_the_synchronous_client_asks_and_streams(service: Service) -> None:
    def call() -> tuple[str, str]:
        with anthropic.Anthropic(api_key=service.key, base_url=service.url, max_retries=0) as made:
            whole = made.messages.create(model=MODEL, max_tokens=300, messages=user("simulate: echo\nwhole"))
            assert whole.content[0].type == "text"
            with made.messages.stream(model=MODEL, max_tokens=300, messages=user("simulate: echo\nstream")) as stream:
                return whole.content[0].text, "".join(stream.text_stream)

    assert await asyncio.to_thread(call) == ("whole", "stream")
    await assert_books_agree(service, 2)


@pytest.mark.parametrize("style", ["api_key", "auth_token"])
async def test_both_ways_to_give_a_key_work(service: Service, style: str) -> None:
    async with anthropic.AsyncAnthropic(base_url=service.url, max_retries=0, **{style: service.key}) as made:  # type: ignore[arg-type]
        message = await made.messages.create(model=MODEL, max_tokens=300, messages=user("hi"))
    assert message.stop_reason == "end_turn"
    await assert_books_agree(service, 1)


async def test_a_stream_with_thinking_and_web_search_is_booked_by_its_last_counts(
    service: Service, client: anthropic.AsyncAnthropic
) -> None:
    async with client.beta.messages.stream(
        model=MODEL,
        max_tokens=2000,
        messages=[{"role": "user", "content": "simulate: web_search 2"}],
        thinking={"type": "enabled", "budget_tokens": 1024},
        betas=["interleaved-thinking-2025-05-14"],
    ) as stream:
        kinds = {event.type async for event in stream}
        final = await stream.get_final_message()
    assert {"thinking", "text", "signature", "message_stop"} <= kinds
    (row,) = await service.settled("usage")
    assert row["output_tokens"] == final.usage.output_tokens
    assert row["web_search_requests"] == 2
    await assert_books_agree(service, 1)


async def test_beta_headers_and_queries_arrive_as_they_were_sent(
    service: Service, client: anthropic.AsyncAnthropic
) -> None:
    await client.beta.messages.create(
        model=MODEL,
        max_tokens=300,
        messages=[{"role": "user", "content": "hi"}],
        betas=["made-up-2031-01-01", "interleaved-thinking-2025-05-14"],
        extra_query={"beta": "true"},
    )
    request = service.simulator.ledger[0].request
    assert request is not None
    assert request.target == "/v1/messages?beta=true"
    assert request.header("anthropic-beta") == "made-up-2031-01-01,interleaved-thinking-2025-05-14"
    await assert_books_agree(service, 1)


async def test_cache_writes_and_reads_are_booked_apart(service: Service, client: anthropic.AsyncAnthropic) -> None:
    for _ in range(2):
        for ttl in ("1h", "5m"):
            marked = {"type": "text", "text": ttl * 3000, "cache_control": {"type": "ephemeral", "ttl": ttl}}
            await client.messages.create(model=MODEL, max_tokens=300, system=[marked], messages=user("hi"))  # type: ignore[list-item]
    rows = sorted(await service.settled("usage"), key=lambda row: row["occurred_at"])
    assert [row["cache_write_1h_tokens"] > 0 for row in rows] == [True, False, False, False]
    assert [row["cache_write_5m_tokens"] > 0 for row in rows] == [False, True, False, False]
    assert [row["cache_read_tokens"] > 0 for row in rows] == [False, False, True, True]
    await assert_books_agree(service, 4)


async def test_a_tool_loop_ends_with_words_about_the_result(service: Service, client: anthropic.AsyncAnthropic) -> None:
    messages = user("use the get_weather tool for: Oslo")
    first = await client.messages.create(model=MODEL, max_tokens=300, messages=messages, tools=[WEATHER])
    use = first.content[-1]
    assert use.type == "tool_use"
    messages += [
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "rain, 7°"}]},
    ]
    async with client.messages.stream(model=MODEL, max_tokens=300, messages=messages, tools=[WEATHER]) as stream:
        assert "rain, 7°" in await stream.get_final_text()
    await assert_books_agree(service, 2)


async def test_many_at_once_leave_one_record_each(service: Service, client: anthropic.AsyncAnthropic) -> None:
    async def ask(number: int) -> None:
        text = user(f"simulate: echo\nnumber {number}")
        if number % 2:
            async with client.messages.stream(model=MODEL, max_tokens=300, messages=text) as stream:
                said = await stream.get_final_text()
        else:
            message = await client.messages.create(model=MODEL, max_tokens=300, messages=text)
            assert message.content[0].type == "text"
            said = message.content[0].text
        assert said == f"number {number}"

    await asyncio.gather(*map(ask, range(20)))
    await assert_books_agree(service, 20)


async def test_counting_tokens_and_listing_models_cost_nothing(
    service: Service, client: anthropic.AsyncAnthropic
) -> None:
    counted = await client.messages.count_tokens(model=MODEL, messages=user("hi"))
    assert counted.input_tokens > 0
    assert [model.id async for model in client.models.list(limit=4)] == [model.id for model in MODELS]
    found = await client.models.retrieve(MODEL)
    assert found.display_name == "Claude Haiku 4.5"
    assert await service.settled("usage") == []
    assert await service.accounts.balance(service.account) == CREDIT_NANOUSD


@pytest.mark.parametrize(
    ("mark", "expected", "status"),
    [
        ("invalid_request", anthropic.BadRequestError, 400),
        ("billing", anthropic.PaymentRequiredError, 402),
        ("permission", anthropic.PermissionDeniedError, 403),
        ("rate_limit", anthropic.RateLimitError, 429),
        ("api_error", anthropic.InternalServerError, 500),
        ("timeout", anthropic.GatewayTimeoutError, 504),
        ("overloaded", anthropic.OverloadedError, 529),
    ],
)
async def test_errors_of_the_upstream_are_the_same_classes_and_cost_nothing(
    service: Service,
    client: anthropic.AsyncAnthropic,
    mark: str,
    expected: type[anthropic.APIStatusError],
    status: int,
) -> None:
    with pytest.raises(expected) as caught:
        await client.messages.create(model=MODEL, max_tokens=9, messages=user(f"simulate: {mark}"))
    assert caught.value.status_code == status
    assert caught.value.request_id == service.simulator.ledger[0].request_id
    assert await service.settled("usage") == []


async def test_refusals_of_our_own_are_the_same_classes(service: Service, client: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.AuthenticationError, match="invalid API key"):
        await client.with_options(api_key="sk-cr-wrong").messages.create(model=MODEL, max_tokens=9, messages=user("hi"))
    with pytest.raises(anthropic.BadRequestError, match="has no price"):
        await client.messages.create(model="claude-imaginary", max_tokens=9, messages=user("hi"))
    with pytest.raises(anthropic.NotFoundError):
        await client.get("/v1/nothing", cast_to=object)
    assert len(service.simulator.ledger) == 0
    with pytest.raises(anthropic.NotFoundError):
        await client.models.retrieve("claude-imaginary")


async def test_a_body_that_is_too_large_is_a_413(service: Service, client: anthropic.AsyncAnthropic) -> None:
    most = service.running.parts.deployment.proxy.body_bytes_max
    with pytest.raises(anthropic.RequestTooLargeError) as caught:
        await client.messages.create(model=MODEL, max_tokens=9, messages=user("x" * most))
    assert caught.value.status_code == 413
    assert len(service.simulator.ledger) == 0


async def test_an_empty_balance_is_a_402(service: Service, client: anthropic.AsyncAnthropic) -> None:
    await service.accounts.credit(service.account, -CREDIT_NANOUSD)
    with pytest.raises(anthropic.PaymentRequiredError, match="balance"):
        await client.messages.create(model=MODEL, max_tokens=9, messages=user("hi"))


async def test_our_own_rate_limit_tells_when_to_come_back(service: Service, client: anthropic.AsyncAnthropic) -> None:
    limits = service.running.parts.deployment.proxy.limits
    for _ in range(limits.requests_per_minute):
        assert not isinstance(service.running.parts.limits.admit((service.key_id, True)), Reached)
    with pytest.raises(anthropic.RateLimitError) as caught:
        await client.messages.create(model=MODEL, max_tokens=9, messages=user("hi"))
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 61


async def test_an_answer_says_how_the_key_stands(service: Service, client: anthropic.AsyncAnthropic) -> None:
    limits = service.running.parts.deployment.proxy.limits
    asked = client.messages.with_raw_response
    answers = [(await asked.create(model=MODEL, max_tokens=9, messages=user("hi"))).headers for _ in range(2)]
    for number, told in enumerate(answers):
        assert told["anthropic-ratelimit-requests-limit"] == str(limits.requests_per_minute)
        assert told["anthropic-ratelimit-requests-remaining"] == str(limits.requests_per_minute - number - 1)
        assert told["anthropic-ratelimit-input-tokens-limit"] == str(limits.input_tokens_per_minute)
        assert told["anthropic-ratelimit-tokens-limit"] == str(limits.output_tokens_per_minute)
        for of in ("requests", "tokens", "input-tokens", "output-tokens"):
            reset = datetime.fromisoformat(told[f"anthropic-ratelimit-{of}-reset"])
            assert -1 <= (reset - datetime.now(UTC)).total_seconds() <= 63
    (attempt, _) = service.simulator.ledger
    left = int(answers[1]["anthropic-ratelimit-input-tokens-remaining"])
    assert limits.input_tokens_per_minute is not None
    assert attempt.usage is not None
    assert left == limits.input_tokens_per_minute - attempt.usage["input_tokens"]


async def test_a_retry_of_the_client_is_a_second_attempt_and_only_what_was_reported_is_booked(
    service: Service, client: anthropic.AsyncAnthropic
) -> None:
    service.simulator.script(next=Scripted.error("overloaded_error", headers={"retry-after-ms": "1"}))
    await client.with_options(max_retries=1).messages.create(model=MODEL, max_tokens=300, messages=user("hi"))
    assert [attempt.status for attempt in service.simulator.ledger] == [529, 200]
    await assert_books_agree(service, 1)


async def test_an_error_event_inside_a_stream_is_raised(service: Service, client: anthropic.AsyncAnthropic) -> None:
    stream = await client.messages.create(
        model=MODEL, max_tokens=300, messages=user("simulate: stream_error"), stream=True
    )

    async def read() -> None:
        async for _ in stream:
            pass

    with pytest.raises(anthropic.APIStatusError) as caught:
        await read()
    assert caught.value.type == "overloaded_error"
    await assert_books_agree(service, 1)


async def test_an_upstream_that_breaks_off_is_an_error_and_never_a_short_answer(
    service: Service, client: anthropic.AsyncAnthropic
) -> None:
    service.simulator.script(next=Scripted.message_stream(keep=3, then=[Reset()]))
    async with client.messages.stream(model=MODEL, max_tokens=9, messages=user("hi")) as stream:
        with pytest.raises((anthropic.APIStatusError, httpx2.ReadError)):
            await stream.get_final_message()
    assert len(await service.settled("usage")) == 1


async def test_a_client_that_stops_reading_pays_for_no_more_than_was_reported(
    service: Service, client: anthropic.AsyncAnthropic
) -> None:
    stream = await client.messages.create(
        model=MODEL, max_tokens=9000, messages=user("simulate: slow 0.2s\nsimulate: long 9000"), stream=True
    )
    async for event in stream:
        if event.type == "message_start":
            break
    await stream.close()
    await assert_books_agree(service, 1)
    assert service.simulator.ledger[0].outcome == "client_left"
