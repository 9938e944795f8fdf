"""The service as a process: what it refuses to start with, what it prints, how it stops."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from crouter.simulator import Simulator
from tests.behaviour.service import UPSTREAM_KEY, environment

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-7d444840"


@asynccontextmanager
async def process(generated: Path, environ: dict[str, str], log: int = PIPE) -> AsyncIterator[Process]:
    """`python -m generated.service` in the folder that holds `generated`. A pipe for the log has to be read."""
    path = os.pathsep.join((str(generated.parent), str(ROOT)))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "generated.service",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **environ},
        cwd=generated.parent, stdin=DEVNULL, stdout=log, stderr=PIPE,
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def started(child: Process) -> str:
    """The address, from the line that tells it."""
    assert child.stderr is not None
    async with asyncio.timeout(20):
        line = (await child.stderr.readline()).decode()
    assert " answers on http://" in line, line
    return line.rpartition(" ")[2].strip()


async def refusal(generated: Path, environ: dict[str, str]) -> str:
    async with process(generated, environ) as child:
        async with asyncio.timeout(20):
            out, err = await child.communicate()
    assert child.returncode == 1
    assert b"Traceback" not in out + err
    return err.decode()


async def test_it_serves_is_quiet_about_content_and_stops_when_told(dsn: str, generated: Path) -> None:
    async with (
        Simulator(UPSTREAM_KEY).serving() as upstream,
        process(generated, environment(dsn, upstream)) as child,
    ):
        url = await started(child)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}/readyz") as ready:
                assert ready.status == 200
            async with session.post(f"{url}/v1/messages?{CANARY}", json={CANARY: 1}, headers={"x-api-key": CANARY}):
                pass
        child.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            out, err = await child.communicate()
    assert child.returncode == 0
    assert CANARY.encode() not in out + err
    assert b'"started"' in out
    assert b'"stopped"' in out


async def test_a_database_that_is_not_migrated_is_refused_with_what_to_do(cluster_dsn: str, generated: Path) -> None:
    assert "crouter migrate" in await refusal(generated, environment(cluster_dsn, "http://127.0.0.1:1"))


async def test_missing_settings_are_named_all_at_once(generated: Path) -> None:
    told = await refusal(generated, {})
    for name in (
        "DATABASE_URL",
        "ANTHROPIC_API_KEY",
        "CROUTER_SEALING_KEYS",
        "CROUTER_LOOKUP_KEYS",
        "CROUTER_RECEIPT_KEYS",
        "CROUTER_SESSION_KEYS",
        "CROUTER_SUPABASE_URL",
        "CROUTER_SUPABASE_KEY",
        "CROUTER_SUPABASE_SECRET_KEY",
    ):
        assert name in told


async def test_an_address_that_cannot_be_used_is_a_sentence(dsn: str, generated: Path) -> None:
    # 192.0.2.0/24 is kept for documentation: no machine has it.
    told = await refusal(generated, {**environment(dsn, "http://127.0.0.1:1"), "CROUTER_LISTEN": "192.0.2.1:8080"})
    assert "CROUTER_LISTEN" in told
