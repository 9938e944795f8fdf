"""TLS by the service itself: both ways through it, a certificate renewed meanwhile, and plain HTTP beside it."""

import asyncio
import signal
import socket
import ssl
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from crouter.contract.deployment import Deployment
from crouter.simulator import Simulator
from tests.behaviour.authority import Authority, write_pair
from tests.behaviour.service import UPSTREAM_KEY, Service, environment, message, serving, until
from tests.behaviour.test_process import process, refusal

NAMES = ("localhost", "127.0.0.1")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def over_tls(
    deployment: Deployment, dsn: str, generated: Path, folder: Path, **environ: str
) -> AsyncIterator[tuple[Service, Authority]]:
    authority = Authority()
    certificate, key = authority.issue(folder, *NAMES)
    told = {"CROUTER_TLS_CERTIFICATE": str(certificate), "CROUTER_TLS_KEY": str(key), **environ}
    async with serving(deployment, dsn, generated, show_dashboard=False, **told) as service:
        yield service, authority


async def shown(url: str, context: ssl.SSLContext, *, name: str | None) -> tuple[bytes, str | None]:
    """The certificate that a new connection is shown, and the protocol that was agreed on."""
    port = int(url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name or "127.0.0.1")
    try:
        connection = writer.get_extra_info("ssl_object")
        return connection.getpeercert(binary_form=True), connection.selected_alpn_protocol()
    finally:
        writer.close()


@pytest.mark.claim("security-https", by="https_only")
async def test_security_https__messages_and_pages_are_answered_over_tls_and_a_plain_request_gets_nothing(
    deployment: Deployment, dsn: str, generated: Path, tmp_path: Path
) -> None:
    async with (
        over_tls(deployment, dsn, generated, tmp_path) as (service, authority),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=authority.client())) as client,
    ):
        assert service.url.startswith("https://127.0.0.1:")
        for stream in (False, True):
            body = message("simulate: long 400", stream=stream)
            async with client.post(f"{service.url}/v1/messages", json=body, headers=service.headers()) as answer:
                text = await answer.read()
                assert answer.status == 200
                assert b"message_stop" in text if stream else b'"usage"' in text
        async with client.get(f"{service.url}/privacy") as page:
            assert page.status == 200
        plain = service.url.replace("https", "http")
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"{plain}/privacy")
        strangers = ssl.create_default_context()
        with pytest.raises(ssl.SSLCertVerificationError):
            await shown(service.url, strangers, name=None)


@pytest.mark.claim("security-https", by="https_only")
async def test_security_https__a_version_below_the_declared_one_is_refused(
    deployment: Deployment, dsn: str, generated: Path, tmp_path: Path
) -> None:
    stricter = replace(deployment, security=replace(deployment.security, tls_minimum="1.3"))
    async with over_tls(stricter, dsn, generated, tmp_path) as (service, authority):
        older, newer = authority.client(), authority.client()
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        newer.set_alpn_protocols(["h2", "http/1.1"])
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await shown(service.url, older, name=None)
        assert (await shown(service.url, newer, name=None))[1] == "http/1.1"


async def test_a_renewed_certificate_is_shown_to_new_connections_and_those_under_way_go_on(
    deployment: Deployment, dsn: str, generated: Path, tmp_path: Path
) -> None:
    async with over_tls(deployment, dsn, generated, tmp_path) as (service, authority):
        trusting = authority.client()
        connector = aiohttp.TCPConnector(ssl=trusting)
        body = message("simulate: slow", stream=True)
        async with (
            aiohttp.ClientSession(connector=connector) as client,
            client.post(f"{service.url}/v1/messages", json=body, headers=service.headers()) as answer,
        ):
            await answer.content.readany()
            before = [(await shown(service.url, trusting, name=name))[0] for name in (None, "localhost")]
            authority.issue(tmp_path, *NAMES)
            service.running.renew_certificate()
            after = [(await shown(service.url, trusting, name=name))[0] for name in (None, "localhost")]
            assert b"message_stop" in await answer.read()
        assert len(set(before)) == len(set(after)) == 1
        assert before != after
        # Files that do not belong together change nothing, and are told.
        write_pair(tmp_path, (tmp_path / "certificate.pem").read_bytes(), b"not a key")
        service.running.renew_certificate()
        assert (await shown(service.url, trusting, name=None))[0] == after[0]
    assert [line for line in service.out.getvalue().splitlines() if '"certificate_refused"' in line]


@pytest.mark.parametrize("plain_http", ["refuse", "redirect"])
@pytest.mark.claim("security-https", by="https_only")
async def test_security_https__plain_http_beside_tls_is_turned_away_as_the_policy_says(
    deployment: Deployment, dsn: str, generated: Path, tmp_path: Path, plain_http: str
) -> None:
    declared = replace(deployment, security=replace(deployment.security, plain_http=plain_http))
    address = f"127.0.0.1:{free_port()}"
    async with (
        over_tls(declared, dsn, generated, tmp_path, CROUTER_LISTEN_PLAIN=address) as (service, _),
        aiohttp.ClientSession() as client,
    ):
        for method, path, headers in (
            ("GET", "/privacy?q=1", {}),
            ("GET", "/v1/models", service.headers()),
            ("POST", "/v1/messages", service.headers()),
            ("GET", "/healthz", service.headers()),
        ):
            url = f"http://{address}{path}"
            async with client.request(method, url, headers=headers, allow_redirects=False) as answer:
                is_sent_on = plain_http == "redirect" and path.startswith("/privacy")
                assert answer.status == (308 if is_sent_on else 403)
                assert answer.headers.get("location") == ("https://crouter.dev/privacy" if is_sent_on else None)
                assert answer.headers["connection"] == "close"
                # RFC 6797, 7.2: never over plain http.
                assert "strict-transport-security" not in answer.headers
        assert list(service.simulator.ledger) == []


async def test_a_certificate_that_cannot_be_used_is_a_sentence(dsn: str, generated: Path, tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, b"canary", b"canary")
    paths = {"CROUTER_TLS_CERTIFICATE": str(certificate), "CROUTER_TLS_KEY": str(key)}
    told = await refusal(generated, environment(dsn, "http://127.0.0.1:1", **paths))
    assert "CROUTER_TLS_CERTIFICATE" in told
    assert "canary" not in told


@pytest.mark.parametrize("processes", [None, "2"], ids=["alone", "supervised"])
async def test_sighup_renews_the_certificate_of_a_process_and_of_several(
    dsn: str, generated: Path, tmp_path: Path, processes: str | None
) -> None:
    authority = Authority()
    certificate, key = authority.issue(tmp_path, *NAMES)
    more = {"CROUTER_TLS_CERTIFICATE": str(certificate), "CROUTER_TLS_KEY": str(key)}
    more |= {} if processes is None else {"CROUTER_PROCESSES": processes}
    trusting = authority.client()
    async with (
        Simulator(UPSTREAM_KEY).serving() as upstream,
        process(generated, environment(dsn, upstream, **more), log=DEVNULL) as child,
    ):
        assert child.stderr is not None
        async with asyncio.timeout(20):
            line = (await child.stderr.readline()).decode()
        url = line.rpartition(" ")[2].strip()
        assert url.startswith("https://"), line
        before, _ = await shown(url, trusting, name=None)
        authority.issue(tmp_path, *NAMES)
        child.send_signal(signal.SIGHUP)

        async def is_renewed() -> bool:
            return before not in [(await shown(url, trusting, name=None))[0] for _ in range(4)]

        await until(is_renewed, 20)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as client,
            client.get(f"{url}/healthz") as answer,
        ):
            assert answer.status == 200
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            await child.communicate()
        assert child.returncode == 0
