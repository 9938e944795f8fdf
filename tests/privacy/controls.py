"""A service in which every leak is planted once, searched in the same way as the real one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from crouter.contract.deployment import Deployment
from crouter.simulator import Simulator
from tests.behaviour.service import UPSTREAM_KEY
from tests.privacy import content
from tests.privacy.canaries import Canaries
from tests.privacy.evidence import FILES, LOG, METRICS, STORE, TABLES
from tests.privacy.planted_service import ELSEWHERE, LEAKS
from tests.privacy.sandbox import Sandbox
from tests.privacy.scan import Finding, Scan
from tests.privacy.store import Store
from tests.privacy.world import PLANTED_SERVICE, World, make_customers, running_world

OTHER_HOST = "other host"
LEAKS_SEARCHED = tuple(name for name in LEAKS if name != "memory")


@dataclass
class Control:
    """What the search found of the planted leaks."""

    findings: list[Finding]
    destinations: frozenset[str]
    elsewhere: str
    may_look: bool
    upstream_headers: frozenset[str]
    planted: frozenset[str]


class _Elsewhere:
    """A host that no policy declares; keeps what it is sent."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.address = ""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._receive, "127.0.0.2", 0)
        host, port = server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        async with server:
            yield

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received += await reader.read(1 << 20)
        # Far away, as other hosts are; long enough to be seen by the recorder.
        await asyncio.sleep(0.1)
        writer.write(b".")
        writer.close()


def gather_control(deployment: Deployment, root: Path, seed: int) -> Control:
    """Blocks for some seconds."""
    return asyncio.run(_gather(deployment, root, seed))


async def _gather(deployment: Deployment, root: Path, seed: int) -> Control:
    canaries, sandbox, store, elsewhere = Canaries(seed), Sandbox(root / "sandbox"), Store(root / "store"), _Elsewhere()
    simulator = Simulator(UPSTREAM_KEY, pace_s=0.0, record=True)
    await asyncio.to_thread(store.start)
    try:
        async with elsewhere.listening(), simulator.serving():
            dsn = await asyncio.to_thread(store.migrated, "crouter", deployment)
            customers = await make_customers(deployment, dsn)
            environ = {ELSEWHERE: elsewhere.address}
            async with running_world(
                sandbox, "control", canaries, dsn, customers, simulator, *PLANTED_SERVICE, **environ
            ) as world:
                for name in LEAKS_SEARCHED:
                    await _leak(world, name)
                await _forward_everything(world)
                counters = await world.metrics()
        return await asyncio.to_thread(_searched, canaries, sandbox, store, dsn, counters, elsewhere, world)
    finally:
        await asyncio.to_thread(store.stop)
        await asyncio.to_thread(_clean_shared_memory)


def _clean_shared_memory() -> None:
    for left in Path("/dev/shm").glob("crouter-test-*"):  # noqa: S108
        left.unlink()


async def _leak(world: World, name: str) -> None:
    # A short request with the canary as its last word, so that it also fits into a metric's label.
    prompt = f"leak:{name} {world.canaries.plant(name)}"
    turns = [{"role": "user", "content": prompt}]
    answer = await world.ask(f"asked {name}", {"model": content.MODEL, "max_tokens": 9, "messages": turns})
    assert answer.status == 200


async def _forward_everything(world: World) -> None:
    auth = {"x-api-key": world.key, "x-test-leak": "headers"}
    await world.ask("headers", content.request_body(world.planting("headers")), auth=auth)


def _searched(
    canaries: Canaries, sandbox: Sandbox, store: Store, dsn: str, counters: bytes, elsewhere: _Elsewhere, world: World
) -> Control:
    scan = Scan(canaries)
    scan.files(LOG, sandbox.output())
    scan.files(FILES, sandbox.written())
    scan.data(METRICS, "/metrics", counters)
    scan.tables(TABLES, dsn)
    store.stop()
    scan.files(STORE, (path for path in store.folder.rglob("*") if path.is_file()))
    scan.data(OTHER_HOST, elsewhere.address, bytes(elsewhere.received))
    received = [attempt.request for attempt in world.simulator.ledger if attempt.request is not None]
    raw_headers = b"\n".join(value for request in received for _, value in request.headers)
    return Control(
        findings=scan.findings,
        destinations=frozenset(world.recorder.destinations),
        elsewhere=f"tcp {elsewhere.address}",
        may_look=world.recorder.may_look,
        upstream_headers=canaries.present(raw_headers),
        planted=canaries.positions(),
    )
