"""Answers of our own: their status and shape, on every wrong turn a request can take."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.limits import Reached
from tests.behaviour.service import Service, message, until

CANARY = "canary-f81d4fae7dec"


async def raw_exchange(service: Service, data: bytes) -> bytes:
    """What the service answers to these bytes until it closes the connection or falls silent."""
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    await writer.drain()
    answer = b""
    try:
        async with asyncio.timeout(3):
            while piece := await reader.read(65536):
                answer += piece
                if answer.endswith(b"}"):
                    break
    finally:
        writer.close()
    return answer


def assert_anthropic_error(body: bytes, kind: str) -> None:
    value = json.loads(body)
    assert value["type"] == "error"
    assert value["error"]["type"] == kind
    assert value["error"]["message"]
    assert value["request_id"].startswith("req_")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": f"sk-cr-{CANARY}"},
        {"authorization": f"Bearer {CANARY}"},
        {"authorization": f"Basic {CANARY}"},
        {"x-api-key": CANARY, "authorization": "Bearer other"},
    ],
)
async def test_a_missing_or_wrong_key_is_a_401_that_echoes_nothing(service: Service, headers: dict[str, str]) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", json=message(), headers=headers) as answer,
    ):
        body = await answer.read()
    assert answer.status == 401
    assert_anthropic_error(body, "authentication_error")
    assert CANARY not in body.decode() + str(answer.headers) + service.out.getvalue()
    assert len(service.simulator.ledger) == 0


async def test_a_key_is_accepted_as_bearer_token_too(service: Service) -> None:
    headers = {"authorization": f"Bearer {service.key}", "anthropic-version": "2023-06-01"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", json=message(), headers=headers) as answer,
    ):
        assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("POST", "/v1/audio", 404),
        ("GET", "/v1/models/..%2Fmessages", 404),
        ("GET", "/v1/models/a/b", 404),
        ("GET", "/v1/messages", 405),
        ("POST", "/privacy", 405),
        ("PROPFIND", "/v1/messages", 405),
    ],
)
async def test_unknown_routes_and_methods_have_anthropics_shape(
    service: Service, method: str, path: str, status: int
) -> None:
    answer = await raw_exchange(service, f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert_anthropic_error(body, "not_found_error")
    assert b"\r\nserver:" not in head.lower()
    assert "PROPFIND" not in service.out.getvalue()


@pytest.mark.claim("exclude-content", by="declared_log_fields")
@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key canary-f81d4fae7dec\r\n\r\n",
        b"canary-f81d4fae7dec\r\n\r\n",
        b"GET /%s HTTP/9.9\r\nhost: x\r\n\r\n" % CANARY.encode(),
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: canary-f81d4fae7dec\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n"
        b"transfer-encoding: chunked\r\n\r\ncanary-f81d4fae7dec",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: " + b"canary-f81d4fae7dec" * 2000 + b"\r\n\r\n",
    ],
)
async def test_exclude_content__malformed_http_is_neither_echoed_nor_logged(
    service: Service, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await raw_exchange(service, request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.")
    assert b" 400 " in head.splitlines()[0]
    assert_anthropic_error(body, "invalid_request_error")
    assert CANARY.encode() not in answer
    assert b"\r\nserver:" not in head.lower()
    assert CANARY not in service.out.getvalue() + caplog.text


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(service: Service) -> None:
    most = service.running.parts.deployment.proxy.body_bytes_max
    head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {service.key}\r\ncontent-length: {most + 1}\r\n\r\n"
    answer = await raw_exchange(service, head.encode())
    told, _, body = answer.partition(b"\r\n\r\n")
    assert b" 413 " in told.splitlines()[0]
    assert_anthropic_error(body, "request_too_large")


async def test_a_body_of_unknown_length_is_refused_as_soon_as_it_is_too_large(service: Service) -> None:
    most, piece = service.running.parts.deployment.proxy.body_bytes_max, b"x" * 1_048_576
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 4 * most:
            sent += len(piece)
            yield piece

    async with aiohttp.ClientSession() as session:
        try:
            async with session.post(f"{service.url}/v1/messages", data=endless(), headers=service.headers()) as answer:
                assert answer.status == 413
        except aiohttp.ClientOSError:
            pass  # the answer was there; this client stopped writing first
    assert sent < 3 * most
    assert len(service.simulator.ledger) == 0


async def test_a_client_that_expects_100_continue_gets_it_before_it_sends_its_body(service: Service) -> None:
    body = json.dumps(message()).encode()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", data=body, headers=service.headers(), expect100=True) as answer,
    ):
        assert answer.status == 200


@pytest.mark.claim("exclude-content", by="declared_log_fields")
async def test_exclude_content__a_handlers_crash_is_a_500_and_its_log_line_names_a_type_only(
    service: Service,
) -> None:
    class Crashing:
        def admit(self, *_: object) -> None:
            raise ValueError(CANARY)

    object.__setattr__(service.running.parts, "limits", Crashing())
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", json=message(CANARY), headers=service.headers()) as answer,
    ):
        body = await answer.read()
    assert answer.status == 500
    assert_anthropic_error(body, "api_error")
    lines = [json.loads(line) for line in service.out.getvalue().splitlines()]
    assert [line["error"] for line in lines if line["event"] == "handler_crashed"] == ["ValueError"]
    assert CANARY not in body.decode() + service.out.getvalue()


async def test_the_fifty_first_request_of_a_minute_is_told_when_to_come_back(service: Service) -> None:
    limits = service.running.parts.limits
    for _ in range(50):
        assert not isinstance(limits.admit((service.key_id, True)), Reached)
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages", json=message(), headers=service.headers()) as answer,
    ):
        body = await answer.read()
    assert answer.status == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert answer.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert_anthropic_error(body, "rate_limit_error")
    assert (
        'crouter_limits_reached_total{limit="requests_per_minute"} 1.0'
        in service.running.parts.metrics.exposition().decode()
    )


async def test_requests_at_once_are_bounded_and_a_client_that_leaves_makes_room(
    service: Service, deployment: Deployment
) -> None:
    most = deployment.proxy.limits.concurrent_requests
    assert most is not None
    limits, key = service.running.parts.limits, (service.key_id, True)
    held = [limits.admit(key) for _ in range(most - 1)]
    async with aiohttp.ClientSession() as session:
        pausing = message("simulate: slow 9s", stream=True)
        post = functools.partial(session.post, f"{service.url}/v1/messages", headers=service.headers())
        first = await post(json=pausing)
        assert first.status == 200
        async with post(json=message()) as answer:
            assert (answer.status, answer.headers["retry-after"]) == (429, "1")
            assert "at once" in (await answer.json())["error"]["message"]
        first.close()

        async def is_admitted() -> bool:
            passed = limits.admit(key)
            if isinstance(passed, Reached):
                return passed.limit != "concurrent_requests"
            return True

        await until(is_admitted)
    assert len(held) == most - 1


@pytest.mark.claim("exclude-content", by="declared_log_fields")
async def test_every_answer_leaves_one_line_of_declared_fields(service: Service) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/v1/messages?beta=true", json=message(), headers=service.headers()) as answer,
    ):
        assert answer.status == 200
    (line,) = [json.loads(line) for line in service.out.getvalue().splitlines() if '"answered"' in line]
    assert line.keys() == {"time", "level", "event", "request_id", "route", "method", "status", "duration_ms"}
    assert (line["route"], line["method"], line["status"]) == ("messages", "POST", 200)
    assert line["request_id"] == answer.headers["x-crouter-request-id"]
