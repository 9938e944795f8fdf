"""Several processes behind one port: all of them serve, each can be replaced, and nobody is refused meanwhile."""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from crouter.simulator import Simulator
from tests.behaviour.service import UPSTREAM_KEY, environment, until
from tests.behaviour.test_process import process, refusal, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@asynccontextmanager
async def several(dsn: str, generated: Path, count: int = 2) -> AsyncIterator[tuple[Process, str]]:
    """A supervised service of so many processes, and its address."""
    async with (
        Simulator(UPSTREAM_KEY).serving() as upstream,
        process(generated, environment(dsn, upstream, CROUTER_PROCESSES=str(count)), log=DEVNULL) as child,
    ):
        url = await started(child)
        await until(lambda: len(workers(child)) == count, 30)
        yield child, url


def workers(supervisor: Process) -> set[int]:
    """The processes that it has started and that are there."""
    tasks = Path(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children")
    return {int(pid) for pid in tasks.read_text().split()} if tasks.exists() else set()


async def answers(url: str) -> int:
    """The status of a request on a connection of its own; 0 if it was refused or broke off."""
    try:
        async with aiohttp.ClientSession() as client, client.get(f"{url}/healthz") as answer:
            await answer.read()
            return answer.status
    except aiohttp.ClientError:
        return 0


async def counted(url: str) -> int:
    """How many requests all processes say that they have answered."""
    async with aiohttp.ClientSession() as client, client.get(f"{url}/metrics") as answer:
        text = await answer.text()
    return sum(int(float(n)) for n in re.findall(r'^crouter_requests_total\{route="healthz[^}]*} (\S+)$', text, re.M))


async def _has_counted(url: str, number: int) -> bool:
    return await counted(url) == number


async def stopped(child: Process) -> bytes:
    child.send_signal(signal.SIGTERM)
    async with asyncio.timeout(60):
        _, err = await child.communicate()
    return err


async def test_all_processes_serve_one_port_and_count_together(dsn: str, generated: Path) -> None:
    async with several(dsn, generated) as (child, url):
        assert [await answers(url) for _ in range(40)] == [200] * 40
        # What one process has counted is known to the others after a second.
        await until(lambda: _has_counted(url, 40), 20)
        left = workers(child)
        err = await stopped(child)
        assert child.returncode == 0, err
        assert not any(_runs(pid) for pid in left)


async def test_a_killed_process_is_replaced_while_the_others_serve(dsn: str, generated: Path) -> None:
    async with several(dsn, generated) as (child, url):
        before = workers(child)
        os.kill(min(before), signal.SIGKILL)
        await until(lambda: len(workers(child)) == 2 and workers(child) != before, 30)
        await until(lambda: _all_answer(url), 30)
        await stopped(child)
        assert child.returncode == 0


async def _all_answer(url: str) -> bool:
    return [await answers(url) for _ in range(20)] == [200] * 20


async def test_a_reload_replaces_every_process_and_refuses_nobody(dsn: str, generated: Path) -> None:
    async with several(dsn, generated) as (child, url):
        before, seen, reloaded = workers(child), [], asyncio.Event()

        async def visit() -> None:
            while not reloaded.is_set():
                seen.append(await answers(url))

        visitors = [asyncio.create_task(visit()) for _ in range(4)]
        child.send_signal(signal.SIGHUP)
        await until(lambda: len(workers(child)) == 2 and not workers(child) & before, 60)
        reloaded.set()
        await asyncio.gather(*visitors)
        assert len(seen) > 10
        assert set(seen) == {200}
        await stopped(child)


async def test_processes_end_with_a_supervisor_that_was_killed(dsn: str, generated: Path) -> None:
    async with several(dsn, generated) as (child, _):
        left = workers(child)
        child.kill()
        await child.wait()
        await until(lambda: not any(_runs(pid) for pid in left), 60)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_what_keeps_the_first_from_starting_is_said_once(dsn: str, generated: Path) -> None:
    environ = environment(dsn, "http://127.0.0.1:9", CROUTER_PROCESSES="3")
    err = await refusal(generated, {**environ, "DATABASE_URL": re.sub(r"@/\w+", "@/postgres", dsn)})
    assert err.count("crouter:") == 1, err


async def test_a_port_in_use_is_not_shared_with_a_stranger(dsn: str, generated: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        environ = environment(dsn, "http://127.0.0.1:9", CROUTER_PROCESSES="2", CROUTER_LISTEN=listen)
        assert "CROUTER_LISTEN" in await refusal(generated, environ)


@pytest.mark.parametrize("value", ["0", "many", "129", "-1", "٣"])
async def test_a_number_of_processes_that_is_none_is_refused(dsn: str, generated: Path, value: str) -> None:
    environ = environment(dsn, "http://127.0.0.1:9", CROUTER_PROCESSES=value)
    assert "CROUTER_PROCESSES: is a number from 1 to 128" in await refusal(generated, environ)
