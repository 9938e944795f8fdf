"""The HTTP side: keys, versions, unknown paths, limits, headers, records and silence."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from crouter.simulator import Scripted, Simulator

VERSION = {"anthropic-version": "2023-06-01"}
ASK = {
    "model": "claude-haiku-4-5",
    "max_tokens": 200,
    "messages": [{"role": "user", "content": "prompt-canary"}],
}


@pytest.fixture
async def http(simulator: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(simulator.url) as session:
        yield session


def auth(simulator: Simulator) -> dict[str, str]:
    return {"x-api-key": simulator.upstream_key} | VERSION


async def failed(response: aiohttp.ClientResponse) -> tuple[int, str, str]:
    body = await response.json()
    assert body["type"] == "error"
    assert body["request_id"] == response.headers["request-id"]
    return response.status, body["error"]["type"], body["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "x-api-key header is required"),
        ({"x-api-key": "wrong-canary"}, "invalid x-api-key"),
        ({"authorization": "Bearer wrong-canary"}, "invalid x-api-key"),
        ({"authorization": "Basic abc"}, "x-api-key header is required"),
    ],
)
async def test_a_missing_or_wrong_key_is_401_and_never_echoed(
    http: aiohttp.ClientSession, headers: dict[str, str], message: str
) -> None:
    async with http.post("/v1/messages", json=ASK, headers=headers | VERSION) as response:
        assert await failed(response) == (401, "authentication_error", message)
        assert "canary" not in await response.text()


async def test_a_bearer_token_is_as_good_as_an_api_key(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    headers = {"authorization": f"Bearer {simulator.upstream_key}"} | VERSION
    async with http.post("/v1/messages", json=ASK, headers=headers) as response:
        assert response.status == 200


async def test_the_version_header_is_required(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    async with http.get("/v1/models", headers={"x-api-key": simulator.upstream_key}) as response:
        assert await failed(response) == (
            400,
            "invalid_request_error",
            "anthropic-version: header is required",
        )


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/x"), ("PUT", "/v1/messages")])
async def test_an_unknown_route_is_404_in_anthropics_shape(
    simulator: Simulator, http: aiohttp.ClientSession, method: str, path: str
) -> None:
    async with http.request(method, path, headers=auth(simulator)) as response:
        assert (await failed(response))[:2] == (404, "not_found_error")
    assert simulator.ledger[-1].path == "(other)"


async def test_head_of_the_root_is_answered_without_a_key(http: aiohttp.ClientSession) -> None:
    async with http.head("/") as response:
        assert response.status == 200


async def test_an_unknown_model_is_404(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    ask = ASK | {"model": "claude-imaginary"}
    async with http.post("/v1/messages", json=ask, headers=auth(simulator)) as response:
        assert await failed(response) == (404, "not_found_error", "model: claude-imaginary")
    assert simulator.ledger[-1].model is None


async def test_a_body_over_32_mb_is_413(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    body = b" " * (32 * 1024 * 1024 + 1)
    async with http.post("/v1/messages", data=body, headers=auth(simulator)) as response:
        assert (await failed(response))[:2] == (413, "request_too_large")


async def test_a_body_of_almost_32_mb_is_read(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    image = {"type": "base64", "media_type": "image/png", "data": "A" * (31 * 1024 * 1024)}
    content = [{"type": "image", "source": image}]
    ask = ASK | {"messages": [{"role": "user", "content": content}]}
    async with http.post("/v1/messages", json=ask, headers=auth(simulator)) as response:
        assert response.status == 200
        assert (await response.json())["usage"]["input_tokens"] == 1503


async def test_answers_carry_upstreams_headers(simulator: Simulator, http: aiohttp.ClientSession) -> None:
    ask = ASK | {"stream": True}
    async with http.post("/v1/messages?beta=true", json=ask, headers=auth(simulator)) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["request-id"].startswith("req_")
        assert response.headers["anthropic-organization-id"]
        for kind in ("requests", "tokens", "input-tokens", "output-tokens"):
            for part in ("limit", "remaining", "reset"):
                assert f"anthropic-ratelimit-{kind}-{part}" in response.headers


async def test_the_same_request_counts_the_same_and_ids_never_repeat(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    answers = []
    for _ in range(2):
        async with http.post("/v1/messages", json=ASK, headers=auth(simulator)) as response:
            answers.append(await response.json())
    assert answers[0]["usage"] == answers[1]["usage"]
    assert answers[0]["id"] != answers[1]["id"]


async def test_the_ledger_page_shows_what_was_reported_and_no_content(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    ask = ASK | {"stream": True, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    async with http.post("/v1/messages", json=ask, headers=auth(simulator)) as response:
        await response.read()
    async with http.get("/v1/models/path-canary", headers=auth(simulator)) as response:
        assert response.status == 404
    async with http.get("/simulator/ledger") as response:
        text = await response.text()
    assert "canary" not in text
    first, second = json.loads(text)["attempts"]
    assert (first["path"], first["model"]) == ("/v1/messages", "claude-haiku-4-5-20251001")
    assert (first["status"], first["outcome"], first["stream"]) == (200, "complete", True)
    assert first["usage"]["cache_creation"]["ephemeral_1h_input_tokens"] > 0
    assert first["usage"]["output_tokens"] > 1
    assert (second["path"], second["usage"]) == ("/v1/models/{model_id}", None)


async def test_a_request_is_kept_byte_for_byte_only_when_recording(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    body = json.dumps(ASK, indent=3).encode()
    headers = auth(simulator) | {"Anthropic-Beta": "a,b", "x-Odd": "1"}
    async with http.post("/v1/messages?beta=true", data=body, headers=headers) as response:
        assert response.status == 200
    kept = simulator.ledger[-1].request
    assert kept is not None
    assert (kept.target, kept.body) == ("/v1/messages?beta=true", body)
    assert (b"Anthropic-Beta", b"a,b") in kept.headers
    assert kept.header("X-ODD") == "1"

    plain = Simulator("k", pace_s=0)
    async with plain.serving() as url, aiohttp.ClientSession(url) as session:
        headers = {"x-api-key": "k"} | VERSION
        async with session.post("/v1/messages", json=ASK, headers=headers) as response:
            assert response.status == 200
    assert plain.ledger[-1].request is None
    assert "canary" not in repr(vars(plain.ledger[-1]))


async def test_scripted_replies_come_in_order_and_then_ordinary_ones(
    simulator: Simulator, http: aiohttp.ClientSession
) -> None:
    simulator.script(next=Scripted.error("overloaded_error"))
    simulator.script(next=Scripted.json({"odd": True}))
    seen: list[Any] = []
    async with http.get("/v1/models", headers=VERSION) as response:
        assert response.status == 401  # a wrong key uses no script up
    for _ in range(3):
        async with http.post("/v1/messages", json=ASK, headers=auth(simulator)) as response:
            seen.append((response.status, (await response.json()).get("type")))
    assert seen == [(529, "error"), (200, None), (200, "message")]
    assert simulator.scripted_left == 0


async def test_nothing_is_logged_not_even_a_malformed_request(
    simulator: Simulator,
    http: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with http.post("/v1/messages", json=ASK, headers=auth(simulator)) as response:
            await response.read()
        port = int(simulator.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /v1/messages HTTP/1.1\r\nx-api-key: key-canary\x01\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.0 400")
        writer.close()
    assert not [record for record in caplog.records if record.name != "asyncio"]
    assert capfd.readouterr() == ("", "")


async def test_a_fault_of_the_simulator_is_raised_when_it_stops() -> None:
    class Broken:
        status = 200

    simulator = Simulator("k")
    simulator.script(next=Broken())  # type: ignore[arg-type]

    async def serve_once() -> int:
        async with simulator.serving() as url, aiohttp.ClientSession(url) as session:
            headers = {"x-api-key": "k"} | VERSION
            async with session.get("/v1/models", headers=headers) as response:
                return response.status

    with pytest.raises(ExceptionGroup, match="the simulator itself failed"):
        await serve_once()
