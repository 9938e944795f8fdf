"""Pages: negotiation, caching, probes, and what only this machine may see."""

import hmac
import secrets
import time
from pathlib import Path

import aiohttp
import pytest

from crouter.contract.deployment import Deployment
from tests.behaviour.service import Service, message, serving

EDGE_SECRET = "e" * 40


def signature(method: str, target: str) -> str:
    """What the edge Worker sends in `x-crouter-edge`."""
    seconds, identifier = int(time.time()), secrets.token_hex(16)
    signed = f"v1\n{seconds}\n{identifier}\n{method}\n{target}".encode()
    return f"v1 t={seconds}, id={identifier}, sig={hmac.digest(EDGE_SECRET.encode(), signed, 'sha256').hex()}"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "text/html"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/markdown", "text/markdown"),
        ("text/plain;q=0.9, text/html;q=0.1", "text/plain"),
        ("application/json", "application/json"),
        ("image/png", "text/html"),
    ],
)
async def test_the_policy_comes_in_the_format_that_was_asked_for(
    service: Service, generated: Path, accept: str, media_type: str
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{service.url}/privacy", headers={"accept": accept}) as answer,
    ):
        body = await answer.read()
    assert answer.status == 200
    assert (answer.content_type, answer.headers["vary"]) == (media_type, "accept")
    documents = service.running.parts.deployment.web.documents
    (file,) = [item.file for item in documents if item.path.startswith("/privacy.") and media_type in item.media_type]
    assert body == (generated / file).read_bytes()
    assert answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_page_that_did_not_change_is_not_sent_again(service: Service) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{service.url}/privacy.md") as first:
            tag = first.headers["etag"]
        async with session.get(f"{service.url}/privacy.md", headers={"if-none-match": f'"x", W/{tag}'}) as second:
            assert (second.status, await second.read()) == (304, b"")
        async with session.head(f"{service.url}/privacy.md") as head:
            assert (head.status, await head.read()) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/assets/crouter.css", "/.well-known/gpc.json", "/healthz", "/readyz"])
async def test_every_page_answers_get_and_head(service: Service, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        for method in ("GET", "HEAD"):
            async with session.request(method, f"{service.url}{path}") as answer:
                assert answer.status == 200
                assert "server" not in answer.headers


async def test_metrics_hold_declared_counters_and_are_for_this_machine_only(service: Service) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{service.url}/v1/messages", json=message(), headers=service.headers()) as sent:
            assert sent.status == 200
        async with session.get(f"{service.url}/metrics") as answer:
            text = await answer.text()
        async with session.get(f"{service.url}/metrics", headers={"x-forwarded-for": "192.0.2.1"}) as refused:
            assert refused.status == 404
    assert 'crouter_requests_total{route="messages",status="200"} 1.0' in text
    assert 'crouter_usage_records_total{outcome="complete"} 1.0' in text
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if not line.startswith("#")}
    assert names <= {metric.name for metric in service.running.parts.deployment.metrics}


@pytest.mark.claim("processor-cloudflare", by="edge_worker")
@pytest.mark.claim("security-https")
async def test_security_https__a_request_that_bypasses_the_edge_is_refused(
    deployment: Deployment, dsn: str, generated: Path
) -> None:
    async with (
        serving(deployment, dsn, generated, CROUTER_EDGE_SECRET=EDGE_SECRET) as service,
        aiohttp.ClientSession() as session,
    ):
        for path, headers in (("/privacy", {}), ("/v1/models", service.headers()), ("/nothing", {})):
            async with session.get(f"{service.url}{path}", headers=headers) as answer:
                assert answer.status == 403
        through = service.headers(**{"x-crouter-edge": signature("GET", "/v1/models?limit=1")})
        for status in (200, 403):  # a signature is good once
            async with session.get(f"{service.url}/v1/models?limit=1", headers=through) as answer:
                assert answer.status == status
        request = service.simulator.ledger[0].request
        assert request is not None
        assert request.header("x-crouter-edge") is None


@pytest.mark.parametrize(
    ("accept", "media_type"), [("text/html", "text/html"), ("application/json", "application/json")]
)
async def test_the_proof_page_shows_nothing_green_that_was_not_run_on_this_version(
    service: Service, accept: str, media_type: str
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{service.url}/privacy/proof", headers={"accept": accept}) as answer,
    ):
        body = await answer.text()
    assert (answer.status, answer.content_type) == (200, media_type)
    assert "No test results were recorded for this service." in body
    if accept == "text/html":
        sentences = body.partition("<main")[2]
        assert 'class="state configured"' in sentences
        assert 'class="state proven"' not in sentences
        assert "<script" not in body
    else:
        assert '"state": "proven"' not in body


@pytest.mark.claim("retain-usage")
async def test_retain_usage__a_job_that_is_late_turns_its_sentences_on_the_proof_page_red(service: Service) -> None:
    late = '<span class="state late">Late: its job has not run in time</span>'
    async with aiohttp.ClientSession() as session:

        async def told() -> tuple[list[str], str]:
            async with session.get(f"{service.url}/privacy/proof.html") as answer:
                page, tag = await answer.text(), answer.headers["etag"]
            articles = page.split('<article class="claim" id="')[1:]
            return [article.partition('"')[0] for article in articles if late in article], tag

        heartbeat = service.running.parts.heartbeat
        nobody, before = await told()
        heartbeat.late = frozenset({"deletion"})
        deleted, during = await told()
        heartbeat.late = frozenset()
        again, after = await told()
    assert (nobody, deleted, again) == ([], ["retain-deleted", "right-erasure"], [])
    assert before == after != during
