"""`crouter doctor` and the servers that it asks: each is asked over TLS, and a planted failure of each is found."""

import asyncio
import json
import os
import ssl
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import Cluster, PostgresBinaries
from crouter.embedded.settings import server_settings
from crouter.runtime.database.migrations import Origin, migrate
from crouter.runtime.doctor.check import Finding, Ground
from crouter.runtime.doctor.registry import CHECKS
from crouter.runtime.secret import Secret
from tests.behaviour.authority import Authority
from tests.behaviour.service import environment, serving
from tests.behaviour.test_pages import EDGE_SECRET
from tests.behaviour.test_process import ROOT
from tests.behaviour.test_tls import NAMES, free_port, over_tls

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
# The embedded build knows no TLS.
BIN = Path("/usr/lib/postgresql/15/bin")
CANARY = "canary7d444840canary"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """One that this process believes, as a machine believes its system's authorities."""
    found = Authority()
    monkeypatch.setenv("SSL_CERT_FILE", str(found.file(tmp_path)))
    return found


@asynccontextmanager
async def answering(talk: Talk, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A server on this machine; gives its port."""

    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(closed, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def speaking_tls(authority: Authority, folder: Path, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue(folder, *names))
    return context


async def found(name: str, ground: Ground) -> list[Finding]:
    check = next(check for check in CHECKS if check.name == name)
    return [finding async for finding in check.look(ground)]


async def states(name: str, ground: Ground) -> list[str]:
    return [finding.state for finding in await found(name, ground)]


@pytest.fixture
def ground(deployment: Deployment, generated: Path) -> Ground:
    return Ground(deployment, {}, generated, "https://127.0.0.1:1", None)


async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    if await reader.readline() == b"PING\r\n":
        writer.write(b"-NOAUTH Authentication required.\r\n")
        await writer.drain()


async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"nonsense\r\n" * 3)
    await writer.drain()


def mail(upgrade: ssl.SSLContext | None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        while line := await reader.readline():
            match line.split(b" ")[0].strip().upper():
                case b"EHLO":
                    writer.write(b"250-mail.example\r\n250 STARTTLS\r\n")
                case b"STARTTLS" if upgrade is not None:
                    writer.write(b"220 go on\r\n")
                    await writer.drain()
                    await writer.start_tls(upgrade)
                case b"QUIT":
                    writer.write(b"221 bye\r\n")
                    return
                case _:
                    writer.write(b"502 no\r\n")

    return talk


@pytest.mark.claim("security-https")
@pytest.mark.parametrize("trouble", [None, "stranger", "other name", "plain", "away", "nonsense"])
async def test_security_https__redis_is_asked_over_tls_and_fails_closed(
    ground: Ground, authority: Authority, tmp_path: Path, trouble: str | None
) -> None:
    signing = Authority("somebody") if trouble == "stranger" else authority
    names = ("elsewhere.example",) if trouble == "other name" else NAMES
    tls = None if trouble == "plain" else speaking_tls(signing, tmp_path, *names)
    async with answering(nonsense if trouble == "nonsense" else redis, tls) as port:
        reached = 1 if trouble == "away" else port
        url = f"rediss://:{CANARY}@127.0.0.1:{reached}/0"
        findings = await found("redis", replace(ground, environ={"CROUTER_REDIS_URL": url}))
    assert [finding.state for finding in findings] == ["ok" if trouble is None else "failed"]
    assert CANARY not in repr(findings)
    far = replace(ground, environ={"CROUTER_REDIS_URL": "redis://cache.example:6379"})
    assert await states("redis", far) == ["failed"]
    assert await states("redis", ground) == ["skipped"]


@pytest.mark.claim("security-https")
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("trouble", [None, "stranger", "no tls", "nonsense"])
async def test_security_https__the_mail_server_is_asked_over_tls_and_fails_closed(
    ground: Ground, authority: Authority, tmp_path: Path, scheme: str, trouble: str | None
) -> None:
    tls = speaking_tls(Authority("somebody") if trouble == "stranger" else authority, tmp_path, *NAMES)
    at_once = tls if scheme == "smtps" and trouble != "no tls" else None
    upgrade = tls if scheme != "smtps" and trouble != "no tls" else None
    async with answering(nonsense if trouble == "nonsense" else mail(upgrade), at_once) as port:
        url = f"{scheme}://user:{CANARY}@127.0.0.1:{port}"
        findings = await found("mail", replace(ground, environ={"CROUTER_SMTP_URL": url}))
    assert [finding.state for finding in findings] == ["ok" if trouble is None else "failed"]
    assert CANARY not in repr(findings)
    far = replace(ground, environ={"CROUTER_SMTP_URL": "smtp://mail.example"})
    assert await states("mail", far) == ["failed"]


async def test_the_keys_of_sign_in_are_asked_for_over_https(
    ground: Ground, authority: Authority, tmp_path: Path
) -> None:
    async def keys(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"keys": [{"kty": "EC"}]}')
        await writer.drain()

    for signing, state in ((authority, "ok"), (Authority("somebody"), "failed")):
        async with answering(keys, speaking_tls(signing, tmp_path, *NAMES)) as port:
            told = {"CROUTER_SUPABASE_URL": f"https://127.0.0.1:{port}"}
            assert await states("sign_in", replace(ground, environ=told)) == [state]
    nobody = {"CROUTER_SUPABASE_URL": "https://127.0.0.1:1"}
    assert await states("sign_in", replace(ground, environ=nobody)) == ["failed"]


@pytest.mark.claim("security-https", by="https_only")
async def test_security_https__a_service_over_tls_is_found_well_and_its_plain_door_closed(
    deployment: Deployment, dsn: str, generated: Path, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = f"127.0.0.1:{free_port()}"
    async with over_tls(deployment, dsn, generated, tmp_path, CROUTER_LISTEN_PLAIN=plain) as (service, authority):
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file(tmp_path)))
        at = replace(ground, url=service.url, settings=service.running.parts.settings)
        # Development says nothing of HSTS, and that is found.
        ok, headers = await found("https", at)
        assert (ok.state, headers.state) == ("ok", "failed")
        assert headers.found.endswith("strict-transport-security")
        assert await states("plain_http", at) == ["ok"]
        assert await states("https", replace(at, url=service.url.replace("https", "http"))) == ["failed"]
        monkeypatch.delenv("SSL_CERT_FILE")
        assert await states("https", at) == ["failed"]


@pytest.mark.claim("security-edge")
@pytest.mark.claim("processor-cloudflare", by="edge_worker")
async def test_security_edge__a_service_that_answers_past_its_edge_is_found(
    deployment: Deployment, dsn: str, generated: Path, ground: Ground
) -> None:
    async with serving(deployment, dsn, generated, CROUTER_EDGE_SECRET=EDGE_SECRET) as service:
        port = int(service.url.rpartition(":")[2])
        behind = replace(ground, settings=replace(service.running.parts.settings, port=port))
        assert await states("edge_bypass", behind) == ["ok"]
    # Nobody listens there any more.
    assert await states("edge_bypass", behind) == ["skipped"]


async def test_security_edge__an_open_door_is_found(
    deployment: Deployment, dsn: str, generated: Path, ground: Ground
) -> None:
    async with serving(deployment, dsn, generated) as service:
        settings = service.running.parts.settings
        said = replace(settings, port=int(service.url.rpartition(":")[2]), edge_secret=Secret(EDGE_SECRET))
        assert await states("edge_bypass", replace(ground, settings=said)) == ["failed"]


@contextmanager
def postgres_over_tls(folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server that takes encrypted connections on this machine; gives the address by its socket, and its port."""
    port = free_port()

    def listening(place: Path, *, durable: bool) -> dict[str, str]:
        return {**server_settings(place, durable=durable), "listen_addresses": "127.0.0.1", "port": str(port)}

    # The embedded server never listens on a network; for once this one does.
    monkeypatch.setattr("crouter.embedded.cluster.server_settings", listening)
    for module in ("server", "socket_folder"):
        monkeypatch.setattr(f"crouter.embedded.{module}.PORT", port)
    data = folder / "data"
    with Cluster(data, PostgresBinaries.installed(BIN), durable=False).start() as server:
        owner = (data / "PG_VERSION").stat()
        for file in authority.issue(data / "tls", *NAMES):
            os.chown(file, owner.st_uid, owner.st_gid)
        os.chown(data / "tls", owner.st_uid, owner.st_gid)
        (data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 trust\n")
        dsn = server.ensure_database("encrypted")
        with psycopg.connect(dsn, autocommit=True) as connection:
            files = {"ssl_cert_file": "tls/certificate.pem", "ssl_key_file": "tls/key.pem"}
            for name, value in {**files, "ssl": "on"}.items():
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")
        yield dsn, port


@pytest.mark.skipif(
    not (BIN / "postgres").exists(), reason="SKIPPED: Debian's PostgreSQL 15 is not installed (postgresql-15)"
)
@pytest.mark.claim("security-https")
async def test_security_https__a_database_is_served_from_and_examined_over_verified_tls(
    deployment: Deployment, generated: Path, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    with postgres_over_tls(tmp_path, authority, monkeypatch) as (dsn, port):
        origin = Origin.of(deployment)
        await asyncio.to_thread(migrate, dsn, generated / "database" / "migrations", origin, plain_postgres=True)
        url = f"postgresql://postgres@127.0.0.1:{port}/encrypted"
        trusted = f"{url}?sslmode=verify-full&sslrootcert={authority.file(tmp_path)}"
        (tmp_path / "other").mkdir()
        stranger = f"{url}?sslmode=verify-full&sslrootcert={Authority('somebody').file(tmp_path / 'other')}"
        ways = {trusted: ["ok", "ok"], f"{url}?sslmode=disable": ["failed"], stranger: ["failed"]}
        for address, expected in ways.items():
            assert await states("database_connection", replace(ground, environ={"DATABASE_URL": address})) == expected
        (said, _) = await found("database_connection", replace(ground, environ={"DATABASE_URL": trusted}))
        assert said.found == "the connection to the database is encrypted"
        assert await states("migrations", replace(ground, environ={"DATABASE_URL": trusted})) == ["ok"]
        async with serving(deployment, trusted, generated) as service:
            assert service.rows("account")


async def test_the_command_tells_for_scripts_fails_where_something_is_wrong_and_shows_no_value(
    dsn: str, generated: Path, tmp_path: Path
) -> None:
    secret = {
        "CROUTER_STRIPE_KEY": f"sk_test_{CANARY}",
        "CROUTER_STRIPE_WEBHOOK_SECRET": CANARY,
        "CROUTER_SMTP_URL": f"smtps://u:{CANARY}@127.0.0.1:1",
        "CROUTER_REDIS_URL": f"redis://:{CANARY}@cache.example",
        "CROUTER_EDGE_SECRET": CANARY,
        "ANTHROPIC_API_KEY": CANARY,
        "CROUTER_JOURNAL": str(tmp_path),
    }
    environ = {**environment(dsn, "http://127.0.0.1:1"), **secret, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    printed: dict[str, tuple[int | None, str]] = {}
    for option in ("--json", ""):
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "crouter.cli.main", "doctor", "--url", "https://127.0.0.1:1",
            "--oldest-backup", "2020-01-01T00:00:00Z", *filter(None, [option]),
            cwd=generated.parent, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            out, err = await child.communicate()
        assert err == b""
        assert CANARY.encode() not in out
        printed[option] = child.returncode, out.decode()
    status, text = printed["--json"]
    told: list[dict[str, Any]] = json.loads(text)
    assert status == printed[""][0] == 1
    failed = {one["check"] for one in told if one["state"] == "failed"}
    assert failed >= {"settings", "environment", "secrets_distinct", "payments", "mail", "redis", "https", "backups"}
    assert not failed & {"manifest", "database_connection", "migrations", "journal_folder", "secret_files"}
    assert all(set(one) == {"check", "what", "state", "found", "do"} for one in told)
    assert "FAILED  backups: the oldest backup is" in printed[""][1]
