"""What the Worker answers itself: plain http, an edge that is not set up, a service that is away."""

import json
import socket

import aiohttp
import pytest
from aiohttp import web

from tests.edge.conftest import Edit, Start
from tests.edge.origin import Origin
from tests.edge.running_worker import CF_HEADER, RunningWorker

# The API, forms, and whatever has given a key away already.
NEVER_REDIRECTED: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("POST", "/v1/messages", {}),
    ("GET", "/v1/models", {}),
    ("GET", "/v1", {}),
    ("POST", "/sign-in", {}),
    ("GET", "/", {"x-api-key": "k"}),
    ("GET", "/", {"authorization": "Bearer k"}),
)


async def refusal(answer: aiohttp.ClientResponse) -> tuple[int, str]:
    """Status and type of an error of our own, whose shape is checked."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    said = json.loads(await answer.read())
    assert set(said) == {"type", "error", "request_id"}
    assert set(said["error"]) == {"type", "message"}
    assert said["type"] == "error"
    assert said["request_id"] == answer.headers["request-id"]
    assert said["request_id"].startswith("req_")
    return answer.status, said["error"]["type"]


def redirecting(said: dict[str, dict[str, dict[str, str]]]) -> None:
    said["security"]["https"]["plain_http"] = "redirect"


@pytest.mark.claim("security-https")
async def test_plain_http_is_refused(worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession) -> None:
    for path in ("/v1/messages", "/", "/privacy"):
        async with client.get(worker.plain_url + path, headers={"x-forwarded-proto": "https"}) as answer:
            assert await refusal(answer) == (403, "permission_error")
            assert "strict-transport-security" not in answer.headers
    assert origin.arrivals == []


@pytest.mark.claim("security-https")
async def test_plain_http_of_pages_is_redirected_where_the_policy_says_so(
    start: Start, origin: Origin, client: aiohttp.ClientSession
) -> None:
    async with start(redirecting) as worker:
        for method in ("GET", "HEAD"):
            url = f"{worker.plain_url}/privacy?a=b"
            async with client.request(method, url, allow_redirects=False, headers={"host": "evil.example"}) as answer:
                assert answer.status == 308
                assert answer.headers["location"] == "https://crouter.dev/privacy?a=b"
        for method, path, headers in NEVER_REDIRECTED:
            async with client.request(method, worker.plain_url + path, headers=headers) as answer:
                assert await refusal(answer) == (403, "permission_error")
    assert origin.arrivals == []


@pytest.mark.claim("security-https")
@pytest.mark.parametrize(("hsts", "seconds"), [("PT600S", 600), ("P30D", 2592000)])
async def test_every_https_answer_tells_browsers_to_stay_with_https(
    start: Start, origin: Origin, client: aiohttp.ClientSession, hsts: str, seconds: int
) -> None:
    async with start(lambda said: said["security"]["https"].update(hsts=hsts)) as worker:
        for headers in ({}, {CF_HEADER: '{"tlsVersion": "TLSv1"}'}):
            async with client.get(worker.url, ssl=worker.tls, headers=headers) as answer:
                assert answer.headers["strict-transport-security"] == f"max-age={seconds}"


@pytest.mark.claim("security-https")
@pytest.mark.parametrize(
    ("minimum", "version", "status"),
    [
        ("1.2", "TLSv1.1", 403),
        ("1.2", "TLSv1.2", 200),
        ("1.3", "TLSv1.2", 403),
        ("1.3", "TLSv1.3", 200),
    ],
)
async def test_a_connection_older_than_the_declared_tls_is_refused(
    start: Start, origin: Origin, client: aiohttp.ClientSession, minimum: str, version: str, status: int
) -> None:
    async with start(lambda said: said["security"]["https"].update(minimum_tls=minimum)) as worker:
        headers = {CF_HEADER: json.dumps({"tlsVersion": version})}
        async with client.get(f"{worker.url}/v1/models", ssl=worker.tls, headers=headers) as answer:
            assert answer.status == status
    assert len(origin.arrivals) == (1 if status == 200 else 0)


async def test_a_service_that_is_away_is_told_in_the_shape_of_the_api(
    start: Start, client: aiohttp.ClientSession
) -> None:
    with socket.socket() as taken:
        # Bound but not listening: every connection is refused.
        taken.bind(("127.0.0.1", 0))
        async with (
            start(ORIGIN_URL=f"http://127.0.0.1:{taken.getsockname()[1]}") as worker,
            client.post(f"{worker.url}/v1/messages", ssl=worker.tls, data=b"{}") as answer,
        ):
            assert await refusal(answer) == (502, "api_error")
            assert answer.headers["retry-after"] == "5"


async def test_a_service_that_hangs_up_is_told_in_the_shape_of_the_api(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    origin.answer = answer
    async with client.post(f"{worker.url}/v1/messages", ssl=worker.tls, data=b"{}") as reply:
        assert await refusal(reply) == (502, "api_error")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (520, (502, "api_error")),
        (521, (502, "api_error")),
        (522, (504, "timeout_error")),
        (524, (504, "timeout_error")),
        (530, (502, "api_error")),
    ],
)
async def test_what_cloudflare_answers_for_a_lost_service_becomes_an_error_of_the_api(
    worker: RunningWorker, origin: Origin, client: aiohttp.ClientSession, status: int, told: tuple[int, str]
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="<html>error 52x</html>", content_type="text/html")

    origin.answer = answer
    async with client.get(worker.url, ssl=worker.tls) as reply:
        assert await refusal(reply) == told
        assert reply.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "binding",
    [
        {"EDGE_SECRET": None},
        {"EDGE_SECRET": "too short"},
        {"ORIGIN_URL": None},
        {"ORIGIN_URL": "not a url"},
        {"ORIGIN_URL": "http://origin.example"},
        {"ORIGIN_URL": "https://origin.example/path"},
        {"ORIGIN_URL": "https://user@origin.example"},
    ],
    ids=str,
)
async def test_an_edge_that_is_not_set_up_forwards_nothing(
    start: Start, origin: Origin, client: aiohttp.ClientSession, binding: dict[str, str | None]
) -> None:
    async with (
        start(**binding) as worker,
        client.post(f"{worker.url}/v1/messages", ssl=worker.tls, data=b"{}") as answer,
    ):
        assert await refusal(answer) == (503, "api_error")
        assert answer.headers["retry-after"] == "60"
    assert origin.arrivals == []


def renamed(said: dict[str, dict[str, str]]) -> None:
    said["service"]["name"] = "\"</script>${1}`\\'"


async def test_the_service_is_named_as_the_policy_names_it(start: Start, client: aiohttp.ClientSession) -> None:
    edit: Edit = renamed
    async with start(edit) as worker, client.get(worker.plain_url) as answer:
        said = json.loads(await answer.read())
    assert said["error"]["message"] == "\"</script>${1}`\\' is reached over https only"
