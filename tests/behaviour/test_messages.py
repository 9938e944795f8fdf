"""`POST /v1/messages`, over real sockets: what reaches the upstream, the client and the database."""

import asyncio
import json
from collections.abc import Mapping

import aiohttp
import pytest

from crouter.simulator import Reset, Scripted, Stall, Wait
from tests.behaviour.service import CREDIT_NANOUSD, MODEL, UPSTREAM_KEY, Service, message, until

HAIKU_INPUT, HAIKU_OUTPUT = 1000, 5000


async def post(service: Service, body: object, **headers: str) -> tuple[int, bytes, Mapping[str, str]]:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.post(f"{service.url}/v1/messages", json=body, headers=service.headers(**headers)) as answer,
    ):
        return answer.status, await answer.read(), answer.headers


@pytest.mark.claim("collect-usage")
async def test_collect_usage__one_request_leaves_one_row_with_the_upstreams_own_counts(service: Service) -> None:
    status, body, _ = await post(service, message())
    assert status == 200
    reported = json.loads(body)["usage"]
    (row,) = await service.settled("usage")
    assert row["input_tokens"] == reported["input_tokens"]
    assert row["output_tokens"] == reported["output_tokens"]
    assert row["cache_read_tokens"] == (reported["cache_read_input_tokens"] or 0)
    assert row["model"] == json.loads(body)["model"]
    assert (row["account_id"], row["api_key_id"]) == (service.account, service.key_id)


async def test_a_charge_costs_what_the_price_book_says_and_balance_is_the_sum_of_the_ledger(service: Service) -> None:
    service.simulator.script(next=Scripted.message(usage={"input_tokens": 11, "output_tokens": 7}))
    await post(service, message())
    cost = 11 * HAIKU_INPUT + 7 * HAIKU_OUTPUT
    (usage,) = await service.settled("usage")
    (charge,) = [row for row in await service.settled("ledger") if row["kind"] == "charge"]
    assert (charge["id"], charge["amount_nanousd"]) == (usage["id"], -cost)
    assert charge["price_version"]
    assert await service.accounts.balance(service.account) == CREDIT_NANOUSD - cost


async def test_a_stream_reaches_the_client_byte_for_byte_and_is_metered(service: Service) -> None:
    scripted = Scripted.message_stream("some words", delta_usage={"output_tokens": 9})
    service.simulator.script(next=scripted)
    status, body, headers = await post(service, message(stream=True))
    assert (status, body) == (200, scripted.body)
    assert headers["content-type"] == dict(scripted.headers)["content-type"]
    (row,) = await service.settled("usage")
    assert (row["input_tokens"], row["output_tokens"]) == (11, 9)


async def test_compressed_answers_pass_compressed_and_are_metered(service: Service) -> None:
    scripted = Scripted.message_stream("some words", delta_usage={"output_tokens": 9}).encoded("gzip")
    service.simulator.script(next=scripted)
    _, body, headers = await post(service, message(stream=True), **{"accept-encoding": "gzip"})
    assert body == scripted.body
    assert headers["content-encoding"] == "gzip"
    assert (await service.settled("usage"))[0]["output_tokens"] == 9


@pytest.mark.claim("exclude-retention", by="streamed_bodies")
async def test_events_arrive_while_the_answer_is_still_being_made(service: Service) -> None:
    service.simulator.script(next=Scripted.message_stream("some words", keep=3, then=[Stall()]))
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", json=message(stream=True), headers=service.headers()) as answer,
    ):
        async with asyncio.timeout(5):
            first = await answer.content.readuntil(b"\n\n")
        assert first.startswith(b"event: message_start")


async def test_the_upstream_gets_the_body_untouched_and_our_key_instead_of_the_customers(service: Service) -> None:
    raw = b'{ "model" : "claude-haiku-4-5",\n"max_tokens":5, "messages":[{"role":"user","content":"\\u00e9"}] }'
    beta = {"anthropic-beta": "a-2025-01-01,b-2025-02-02", "content-type": "application/json"}
    async with (
        aiohttp.ClientSession(skip_auto_headers=("Accept", "User-Agent")) as session,
        session.post(
            f"{service.url}/v1/messages?beta=true",
            data=raw,
            headers=service.headers(**beta, **{"x-forwarded-for": "192.0.2.1", "cf-ipcountry": "NZ", "cookie": "a=b"}),
        ) as answer,
    ):
        assert answer.status == 200
    request = service.simulator.ledger[0].request
    assert request is not None
    assert (request.target, request.body) == ("/v1/messages?beta=true", raw)
    assert request.header("x-api-key") == UPSTREAM_KEY
    assert request.header("anthropic-beta") == beta["anthropic-beta"]
    names = sorted(name.decode().lower() for name, _ in request.headers)
    assert names == [
        "accept-encoding",
        "anthropic-beta",
        "anthropic-version",
        "content-length",
        "content-type",
        "host",
        "x-api-key",
    ]


@pytest.mark.parametrize("kind", ["invalid_request_error", "rate_limit_error", "overloaded_error", "api_error"])
async def test_errors_of_the_upstream_pass_unchanged_and_cost_nothing(service: Service, kind: str) -> None:
    scripted = Scripted.error(kind, "exact wording", headers={"retry-after": "7"})
    service.simulator.script(next=scripted)
    status, body, headers = await post(service, message())
    assert (status, body) == (scripted.status, scripted.body)
    assert headers["retry-after"] == "7"
    assert await service.settled("usage") == []


async def test_an_error_event_inside_a_stream_passes_and_what_was_reported_is_metered(service: Service) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    scripted = Scripted.message_stream("words", keep=4, then=[error])
    service.simulator.script(next=scripted)
    status, body, _ = await post(service, message(stream=True))
    assert (status, body) == (200, scripted.body)
    assert len(await service.settled("usage")) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_cancels_the_upstream_and_pays_what_was_reported(
    service: Service, stream: bool
) -> None:
    steps = [Stall()] if stream else [Wait(30)]
    service.simulator.script(next=Scripted.message_stream("words", keep=3, then=steps))
    async with aiohttp.ClientSession() as session:
        answer = await session.post(
            f"{service.url}/v1/messages", json=message(stream=stream), headers=service.headers()
        )
        await answer.content.readuntil(b"\n\n")
        answer.close()
        await service.simulator.ledger.settled(3)
    assert service.simulator.ledger[0].outcome == "client_left"
    await until(lambda: bool(service.rows("usage")))
    (row,) = await service.settled("usage")
    assert row["input_tokens"] == 11


async def test_an_upstream_that_breaks_off_is_shown_as_an_error_never_as_a_quiet_end(service: Service) -> None:
    service.simulator.script(next=Scripted.message_stream("words", keep=3, then=[Reset()]))
    status, body, _ = await post(service, message(stream=True))
    assert status == 200
    last = body.rstrip().rpartition(b"\n")[2].removeprefix(b"data: ")
    assert json.loads(last)["error"]["type"] == "api_error"
    assert len(await service.settled("usage")) == 1


async def test_an_upstream_that_gives_no_answer_is_a_502_of_ours(service: Service) -> None:
    service.simulator.script(next=Scripted.verbatim_http(b""))
    status, body, headers = await post(service, message())
    assert (status, json.loads(body)["error"]["type"]) == (502, "api_error")
    assert headers["retry-after"]


async def test_a_redirect_of_the_upstream_is_passed_on_and_not_followed(service: Service) -> None:
    service.simulator.script(next=Scripted.redirect("https://example.org/steal"))
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{service.url}/v1/messages", json=message(), headers=service.headers(), allow_redirects=False
        ) as answer,
    ):
        assert answer.status == 307
    assert len(service.simulator.ledger) == 1


async def test_a_model_without_a_price_is_refused_before_anything_is_forwarded(service: Service) -> None:
    status, body, _ = await post(service, message(model="gpt-made-up"))
    assert status == 400
    assert "model" in json.loads(body)["error"]["message"]
    assert len(service.simulator.ledger) == 0


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "JSON"),
        (b'{"max_tokens": 1}', "model"),
        (b'{"model": "%s", "model": "%s"}' % (MODEL.encode(), MODEL.encode()), "twice"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_with_the_reason(service: Service, raw: bytes, says: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", data=raw, headers=service.headers()) as answer,
    ):
        error = (await answer.json())["error"]
    assert (answer.status, error["type"]) == (400, "invalid_request_error")
    assert says in error["message"]
    assert len(service.simulator.ledger) == 0


async def test_an_account_without_credit_is_refused_with_402(service: Service) -> None:
    await service.accounts.credit(service.account, -CREDIT_NANOUSD)
    status, body, _ = await post(service, message())
    assert (status, json.loads(body)["error"]["type"]) == (402, "billing_error")
    assert len(service.simulator.ledger) == 0
    await service.accounts.credit(service.account, CREDIT_NANOUSD)
    assert (await post(service, message()))[0] == 200


async def test_a_large_body_and_a_large_answer_pass_whole(service: Service) -> None:
    text = "x" * 3_000_000
    scripted = Scripted.message(text)
    service.simulator.script(next=scripted)
    status, body, _ = await post(service, message(text))
    assert (status, body) == (200, scripted.body)
    assert len(await service.settled("usage")) == 1


async def test_an_answer_of_known_length_that_breaks_off_breaks_the_clients_connection_too(service: Service) -> None:
    scripted = Scripted.message_stream("words", keep=3, then=[Wait(0.05)]).with_content_length(9999)
    service.simulator.script(next=scripted)
    with pytest.raises(aiohttp.ClientPayloadError):
        await post(service, message(stream=True))
    assert len(await service.settled("usage")) == 1
