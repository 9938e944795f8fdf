"""What the Worker passes on, in both directions, in real workerd."""

import asyncio
import gzip
import hashlib
import socket
import struct
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

from crouter.simulator import Simulator
from tests.edge.conftest import Start
from tests.edge.origin import Origin
from tests.edge.running_worker import CF_HEADER, RunningWorker

SECONDS = 10.0

# What a request may look like on the wire. A path that begins with two slashes names no other host.
TARGETS = (
    "/v1/messages?beta=true",
    "/",
    "//other.example/v1/messages",
    "/v1/models/a%2Fb%20c",
    "/v1/../privacy",
    "/a/%2e%2e/b?x=1&x=2#f",
    "/?",
    "/%zz?%",
    "/a|b^c?q='\"<>`{}",
    "/pr\u00eete?m\u00fcde=\u2028",
)


async def raw_status(worker: RunningWorker, target: str) -> int:
    """The status for a request line that no client library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.https_port, ssl=worker.tls)
    try:
        writer.write(f"GET {target} HTTP/1.1\r\nHost: crouter.dev\r\nConnection: close\r\n\r\n".encode())
        line = await asyncio.wait_for(reader.readline(), SECONDS)
        return int(line.split()[1])
    finally:
        writer.close()


@pytest.mark.claim("processor-cloudflare")
async def test_every_forwarded_request_is_signed_as_the_service_verifies_it(
    worker: RunningWorker, origin: Origin
) -> None:
    for target in TARGETS:
        assert await raw_status(worker, target) == 200, target
    assert [(arrival.target, arrival.verdict) for arrival in origin.arrivals if arrival.verdict != "accepted"] == []
    assert len(origin.arrivals) == len(TARGETS)
    assert origin.arrivals[0].target == "/v1/messages?beta=true"


async def test_a_signature_of_the_client_is_replaced(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    forged = {"x-crouter-edge": "v1 t=1, id=" + "0" * 32 + ", sig=" + "0" * 64, "x-crouter-edge-key": "forged"}
    async with client.post(f"{worker.url}/v1/messages", ssl=worker.tls, headers=forged) as answer:
        assert answer.status == 200
    [arrival] = origin.arrivals
    assert arrival.verdict == "accepted"
    assert "x-crouter-edge-key" not in arrival.headers


LOCATING = {
    "CF-Connecting-IP": "192.0.2.7",
    "CF-IPCountry": "CANARY",
    "CF-Ray": "CANARY",
    "CDN-Loop": "CANARY",
    "Forwarded": "for=192.0.2.7",
    "True-Client-IP": "192.0.2.7",
    "Via": "1.1 CANARY",
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "CANARY",
    "X-Real-IP": "192.0.2.7",
    "X-Geo-City": "CANARY",
    "Accept-Language": "CANARY",
    "Referer": "https://CANARY.example/",
}
FROM_A_BROWSER = {"Cookie": "__Host-session=1", "Origin": "https://crouter.dev", "Sec-GPC": "1", "DNT": "1"}


@pytest.mark.claim("exclude-location", by="edge_worker")
@pytest.mark.parametrize("path", ["/v1/messages", "/dashboard"])
async def test_what_tells_where_a_client_is_ends_at_the_edge(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession, path: str
) -> None:
    sent = {**LOCATING, CF_HEADER: '{"country": "CANARY", "tlsVersion": "TLSv1.3"}'}
    async with client.get(worker.url + path, ssl=worker.tls, headers=sent) as answer:
        assert answer.status == 200
    [arrival] = origin.arrivals
    assert not {name.lower() for name in LOCATING} & arrival.headers.keys()
    assert "CANARY" not in str(arrival)
    assert "192.0.2.7" not in str(arrival)


@pytest.mark.claim("exclude-location", by="edge_worker")
async def test_what_cloudflare_adds_ends_at_the_edge_even_where_the_policy_does_not_list_it(
    start: Start, origin: Origin, client: aiohttp.ClientSession
) -> None:
    sent = {name: value for name, value in LOCATING.items() if name.startswith(("C", "F", "T", "V", "X-F", "X-R"))}
    async with (
        start(lambda said: said["proxy"].update(drops_request_headers=["x-nothing"])) as worker,
        client.get(f"{worker.url}/v1/models", ssl=worker.tls, headers=sent),
    ):
        pass
    assert not {name.lower() for name in sent} & origin.arrivals[0].headers.keys()


async def test_an_api_request_loses_what_a_browser_adds_and_a_page_keeps_it(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    for path in ("/v1/messages", "/dashboard", "/v1x"):
        async with client.get(worker.url + path, ssl=worker.tls, headers=FROM_A_BROWSER):
            pass
    names = {name.lower() for name in FROM_A_BROWSER}
    assert [names & arrival.headers.keys() for arrival in origin.arrivals] == [set(), names, names]
    # What names the browser is of use to the API's upstream only.
    assert ["user-agent" in arrival.headers for arrival in origin.arrivals] == [True, False, False]


async def test_headers_of_the_api_pass_untouched(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    sent = {"x-api-key": "sk-cr-1", "anthropic-version": "2023-06-01", "anthropic-beta": "a-1,b-2", "x-new-one": " é "}
    async with client.post(f"{worker.url}/v1/messages", ssl=worker.tls, headers=sent, data=b"{}"):
        pass
    [arrival] = origin.arrivals
    assert {name: arrival.headers[name] for name in sent} == {**sent, "x-new-one": "é"}


async def test_a_dropped_header_of_an_edited_policy_is_dropped(
    start: Start, origin: Origin, client: aiohttp.ClientSession
) -> None:
    sent = {"x-canary-1": "1", "x-canar": "1"}
    async with (
        start(lambda said: said["proxy"]["drops_request_headers"].append("x-canary-*")) as worker,
        client.get(f"{worker.url}/v1/models", ssl=worker.tls, headers=sent),
    ):
        pass
    [arrival] = origin.arrivals
    assert "x-canary-1" not in arrival.headers
    assert "x-canar" in arrival.headers


async def test_a_stream_passes_event_by_event(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    first_was_read = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"event: first\ndata: {}\n\n")
        await asyncio.wait_for(first_was_read.wait(), SECONDS)
        await response.write(b"event: last\ndata: {}\n\n")
        return response

    origin.answer = answer
    async with client.post(f"{worker.url}/v1/messages", ssl=worker.tls, data=b"{}") as reply:
        assert await asyncio.wait_for(reply.content.readany(), SECONDS) == b"event: first\ndata: {}\n\n"
        first_was_read.set()
        assert await reply.content.read() == b"event: last\ndata: {}\n\n"


async def test_a_request_body_is_passed_on_before_its_end(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    first_arrived = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        received = await request.content.readany()
        first_arrived.set()
        return web.Response(body=received + await request.content.read())

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await asyncio.wait_for(first_arrived.wait(), SECONDS)
        yield b"last"

    origin.answer = answer
    async with client.post(f"{worker.url}/v1/messages", ssl=worker.tls, data=body()) as reply:
        assert await reply.read() == b"firstlast"


async def test_five_megabytes_pass_both_ways_unchanged(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await request.read())

    origin.answer = answer
    sent = b"".join(number.to_bytes(4, "big") for number in range(5 << 18))
    async with client.post(f"{worker.url}/v1/messages", ssl=worker.tls, data=sent) as reply:
        received = await reply.read()
    assert hashlib.sha256(received).digest() == hashlib.sha256(sent).digest()
    assert int(origin.arrivals[0].headers["content-length"]) == len(sent)


async def test_an_encoded_answer_passes_byte_for_byte(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    encoded = gzip.compress(b'{"type": "message"}' * 50, mtime=1)

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=encoded, headers={"content-encoding": "gzip", "content-type": "application/json"})

    origin.answer = answer
    asked = {"accept-encoding": "gzip"}
    async with client.post(f"{worker.url}/v1/messages", ssl=worker.tls, data=b"{}", headers=asked) as reply:
        assert reply.headers["content-encoding"] == "gzip"
        assert await reply.read() == encoded


async def test_redirects_errors_and_cookies_of_the_service_pass_untouched(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {
            "location": "/elsewhere",
            "retry-after": "7",
            "set-cookie": "a=1; Secure",
            "x-crouter-request-id": "r",
        }
        return web.Response(status=int(request.path[1:]), headers=headers, body=b"as it is")

    origin.answer = answer
    for status in (302, 404, 429, 500, 502, 522, 529):
        async with client.get(f"{worker.url}/{status}", ssl=worker.tls, allow_redirects=False) as reply:
            assert reply.status == status
            assert reply.headers["location"] == "/elsewhere"
            assert reply.headers["retry-after"] == "7"
            assert reply.headers["set-cookie"] == "a=1; Secure"
            assert await reply.read() == b"as it is"


@pytest.mark.parametrize("answering", [False, True], ids=["before the answer", "within the answer"])
async def test_a_client_that_leaves_cancels_the_request_to_the_service(
    worker: RunningWorker, origin: Origin, answering: bool
) -> None:
    arrived, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        if answering:
            await response.prepare(request)
            await response.write(b"event: ping\n\n")
        arrived.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return response

    origin.answer = answer
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.https_port, ssl=worker.tls)
    writer.write(b"POST /v1/messages HTTP/1.1\r\nHost: crouter.dev\r\nContent-Length: 2\r\n\r\n{}")
    await asyncio.wait_for(arrived.wait(), SECONDS)
    if answering:
        await asyncio.wait_for(reader.readuntil(b"event: ping"), SECONDS)
    # Leaves with a reset. An orderly end of what a client sends is no leaving for workerd, because HTTP/1.1 allows to
    # read on after it; in production Cloudflare's own front decides and ends the Worker.
    reset_on_close = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
    writer.transport.abort()
    await asyncio.wait_for(cancelled.wait(), SECONDS)


async def test_a_date_before_uncached_requests_became_usual_works_as_well(
    start: Start, origin: Origin, client: aiohttp.ClientSession
) -> None:
    async with (
        start(lambda said: said["security"]["edge"].update(compatibility_date="2024-01-01")) as worker,
        client.get(f"{worker.url}/v1/models", ssl=worker.tls) as reply,
    ):
        assert reply.status == 200
    assert origin.arrivals[0].verdict == "accepted"


async def test_the_official_client_streams_a_message_through_the_edge(start: Start) -> None:
    simulator = Simulator("sk-ant-edge")
    async with (
        simulator.serving() as url,
        start(ORIGIN_URL=url) as worker,
        DefaultAsyncHttpxClient(verify=worker.tls) as http,
    ):
        client = AsyncAnthropic(api_key="sk-ant-edge", base_url=worker.url, http_client=http, max_retries=0)
        async with client.messages.stream(
            model="claude-haiku-4-5",
            max_tokens=100,
            messages=[{"role": "user", "content": "simulate: long 40"}],
        ) as stream:
            message = await stream.get_final_message()
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 1


async def test_the_worker_prints_nothing(start: Start, origin: Origin, client: aiohttp.ClientSession) -> None:
    async with start() as worker:
        for headers in ({}, {"x-api-key": "CANARY"}, {CF_HEADER: '{"tlsVersion": "TLSv1.1"}'}):
            async with client.post(f"{worker.url}/v1/messages?CANARY", ssl=worker.tls, headers=headers, data=b"CANARY"):
                pass
    assert bytes(worker.output) == b""
