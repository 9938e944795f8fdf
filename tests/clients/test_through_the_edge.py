"""The Worker in workerd, in front of the service: clients of the API and pages through both, and nothing past it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import anthropic
import pytest
import pytest_asyncio
from anthropic import DefaultAsyncHttpxClient

from crouter.contract.deployment import Deployment
from tests.behaviour.service import MODEL, Service, serving
from tests.clients.books import assert_books_agree
from tests.clients.conftest import GENERATED
from tests.clients.test_claude_code import CLAUDE, ended, start
from tests.edge.conftest import ROOT, edge_files, unchanged
from tests.edge.origin import SECRET
from tests.edge.running_worker import RunningWorker, running_worker, workerd_binary


@dataclass(frozen=True)
class Both:
    """A service, and the Worker through which alone it answers."""

    service: Service
    worker: RunningWorker
    certificate: Path


@pytest_asyncio.fixture
async def both(deployment: Deployment, dsn: str, tmp_path: Path) -> AsyncIterator[Both]:
    binary = workerd_binary(ROOT)
    if binary is None:
        pytest.skip("SKIPPED: workerd is not installed; run npm ci first")
    folder = tmp_path / "edge"
    folder.mkdir()
    async with serving(deployment, dsn, GENERATED, CROUTER_EDGE_SECRET=SECRET) as service:
        bindings = {"ORIGIN_URL": service.url, "EDGE_SECRET": SECRET}
        async with running_worker(binary, folder, edge_files(unchanged), bindings) as worker:
            yield Both(service, worker, folder / "certificate.pem")


@pytest.mark.claim("security-edge")
@pytest.mark.claim("processor-cloudflare", by="edge_worker")
async def test_security_edge__the_anthropic_client_works_through_both_and_is_billed_once(both: Both) -> None:
    async with (
        DefaultAsyncHttpxClient(verify=both.worker.tls) as http,
        anthropic.AsyncAnthropic(
            api_key=both.service.key, base_url=both.worker.url, http_client=http, max_retries=0
        ) as client,
    ):
        await client.messages.create(
            model=MODEL, max_tokens=64, messages=[{"role": "user", "content": "simulate: long 40"}]
        )
        async with client.messages.stream(
            model=MODEL, max_tokens=64, messages=[{"role": "user", "content": "simulate: long 40"}]
        ) as stream:
            assert (await stream.get_final_message()).usage.output_tokens > 1
        assert (await client.models.list()).data
        with pytest.raises(anthropic.AuthenticationError):
            await client.with_options(api_key="sk-cr-wrong").messages.create(
                model=MODEL, max_tokens=1, messages=[{"role": "user", "content": "simulate: long 40"}]
            )
        with pytest.raises(anthropic.PermissionDeniedError):
            await client.with_options(base_url=both.service.url).models.list()
    await assert_books_agree(both.service, 2)


@pytest.mark.claim("security-edge")
@pytest.mark.skipif(not CLAUDE.exists(), reason="SKIPPED: the claude binary is not installed")
async def test_security_edge__claude_code_works_through_both(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.clients.test_claude_code.TRUSTED", {"NODE_EXTRA_CA_CERTS": str(both.certificate)})
    through = replace(both.service, url=both.worker.url)
    prompt = "use the Bash tool to run: echo hel''lo"
    session = await ended(
        await start(through, tmp_path, both.service.key, "-p", prompt, "--allowedTools", "Bash(echo:*)")
    )
    assert session.status == 0, session.said
    asked = [attempt for attempt in both.service.simulator.ledger if attempt.request is not None]
    assert any(b"hello" in attempt.request.body for attempt in asked if attempt.request is not None)


@pytest.mark.claim("security-edge")
async def test_security_edge__pages_files_and_notices_pass_both(both: Both) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:

        async def status(method: str, path: str, **headers: str) -> tuple[int, str]:
            url, given = f"{both.worker.url}{path}", {name.replace("_", "-"): told for name, told in headers.items()}
            async with client.request(method, url, ssl=both.worker.tls, headers=given, allow_redirects=False) as answer:
                assert "strict-transport-security" in answer.headers
                return answer.status, answer.content_type

        assert await status("GET", "/privacy") == (200, "text/html")
        assert await status("GET", "/.well-known/gpc.json") == (200, "application/json")
        assert await status("GET", "/assets/crouter.css") == (200, "text/css")
        assert await status("HEAD", "/healthz") == (200, "text/plain")
        # The counters are for the machine of the service alone.
        assert (await status("GET", "/metrics"))[0] == 404
        assert await status("GET", "/v1/nothing") == (404, "application/json")
        url = f"{both.worker.url}/v1/messages"
        async with client.post(url, ssl=both.worker.tls, data=b"{", headers={"x-api-key": both.service.key}) as answer:
            assert json.loads(await answer.read())["type"] == "error"
