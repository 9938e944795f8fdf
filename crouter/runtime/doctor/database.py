"""Whether the database is reached over TLS, has every migration, and keeps the same time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

import psycopg

from crouter.runtime.database.migrations import Origin, check_database
from crouter.runtime.database.transport import database_transport
from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.serve import MIGRATIONS

CONNECT_SECONDS: Final = 5
SKEW_SECONDS_WARNED: Final = 2.0
# Signatures of the edge are good for a minute either way; half of it is used up by then.
SKEW_SECONDS_MAX: Final = 30.0
_VERIFY: Final = "add sslmode=verify-full&sslrootcert=FILE with the authority of your provider"


async def _address(ground: Ground) -> AsyncIterator[Finding]:
    url = ground.text("DATABASE_URL")
    if not url:
        yield Finding("skipped", "DATABASE_URL is not set")
        return
    match database_transport(url, ground.environ):
        case "local":
            yield Finding("ok", "the database is on this machine")
        case "verified":
            yield Finding("ok", "the database is reached over TLS, and has to prove who it is")
        case "encrypted":
            yield Finding("warning", "DATABASE_URL: encrypts, and believes whoever answers", _VERIFY)
        case "plain":
            yield Finding("failed", "DATABASE_URL: may send everything in plain text", _VERIFY)


async def _connection(ground: Ground) -> AsyncIterator[Finding]:
    url = ground.text("DATABASE_URL")
    if not url:
        yield Finding("skipped", "DATABASE_URL is not set")
        return
    told = await asyncio.to_thread(_told, url)
    if told is None:
        yield Finding("failed", "the database cannot be reached", "check DATABASE_URL, and the network between")
        return
    is_encrypted, skew = told
    if is_encrypted:
        yield Finding("ok", "the connection to the database is encrypted")
    elif database_transport(url, ground.environ) == "local":
        yield Finding("ok", "the connection to the database does not leave this machine")
    else:
        yield Finding("failed", "the connection to the database is not encrypted", _VERIFY)
    yield same_time(skew)


async def _migrations(ground: Ground) -> AsyncIterator[Finding]:
    url = ground.text("DATABASE_URL")
    if not url:
        yield Finding("skipped", "DATABASE_URL is not set")
        return
    folder = ground.generated / MIGRATIONS
    check = await asyncio.to_thread(check_database, url, folder, Origin.of(ground.deployment))
    if check.state == "in_step":
        yield Finding("ok", check.sentence)
    else:
        yield Finding("failed", check.sentence, "run `crouter migrate` with the release that is deployed")


def same_time(skew: float) -> Finding:
    """Judges by how many seconds the clock here is ahead of the database's."""
    found = f"the clocks of this machine and of the database are {abs(skew):.1f} s apart"
    do = "keep both in step (chrony, systemd-timesyncd): signatures, sessions and retention go by them"
    if abs(skew) > SKEW_SECONDS_MAX:
        return Finding("failed", found, do)
    return Finding("warning", found, do) if abs(skew) > SKEW_SECONDS_WARNED else Finding("ok", found)


def _told(url: str) -> tuple[bool, float] | None:
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS, application_name="crouter doctor") as connection:
            before = datetime.now(UTC)
            row = connection.execute(
                "SELECT ssl, clock_timestamp() FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            ).fetchone()
            after = datetime.now(UTC)
    except psycopg.Error:
        # The driver's text may quote the address.
        return None
    assert row is not None, "a backend has its own row"
    return bool(row[0]), ((before + (after - before) / 2) - row[1]).total_seconds()


CHECKS: Final = (
    Check("database_transport", "whether DATABASE_URL asks for TLS", _address),
    Check("database_connection", "whether the database is reached, encrypted and in time", _connection),
    Check("migrations", "whether the database has every migration", _migrations),
)
