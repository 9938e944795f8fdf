"""Runs every scenario once against real service processes and searches everything they left behind."""

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from crouter.contract.deployment import Deployment
from crouter.simulator import Reset, Scripted, Simulator, Stall
from tests.behaviour.service import UPSTREAM_KEY
from tests.privacy import content, further_routes, scenarios
from tests.privacy.canaries import Canaries
from tests.privacy.sandbox import Sandbox
from tests.privacy.scan import Finding, Scan
from tests.privacy.store import Store
from tests.privacy.world import (
    PLANTED_SERVICE,
    Customers,
    World,
    end_in_a_stream,
    make_customers,
    running_world,
    watch_secrets,
)

LOG, FILES, METRICS, TABLES, STORE = "log", "files", "metrics", "tables", "files of the database"
OUR_ANSWERS = "our own answers"
SINKS = (LOG, FILES, METRICS, TABLES, STORE, OUR_ANSWERS)

# What developers and operators switch on when they look for a mistake.
DEBUGGING = {
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONDEVMODE": "1",
    "PSYCOPG_DEBUG": "1",
    "LOG_LEVEL": "DEBUG",
    "DEBUG": "1",
}


@dataclass
class Evidence:
    """What was planted, what was found, and what else was seen."""

    canaries: Canaries
    findings: list[Finding]
    bytes_read: dict[str, int]
    # Everything that the upstream received: the positions of canaries in bodies and targets, and in headers.
    upstream_content: frozenset[str]
    upstream_headers: frozenset[str]
    upstream_raw: bytes = field(repr=False)
    destinations: frozenset[str]
    expected_destinations: frozenset[str]
    looks: int
    may_look: bool
    listens: dict[str, set[int]]
    statuses: dict[str, int]
    core_limits: dict[str, str]


def gather(deployment: Deployment, root: Path, seed: int) -> Evidence:
    """Blocks for some ten seconds. Raises AssertionError where a scenario did not happen as it should."""
    return asyncio.run(_Gathering(deployment, root, seed).all())


class _Gathering:
    def __init__(self, deployment: Deployment, root: Path, seed: int) -> None:
        self._deployment = deployment
        self._canaries = Canaries(seed)
        self._sandbox = Sandbox(root / "sandbox")
        self._store = Store(root / "store")
        self._simulator = Simulator(UPSTREAM_KEY, pace_s=0.0, record=True)
        self._metrics: list[bytes] = []
        self._our_answers: list[tuple[str, bytes]] = []
        self._destinations: set[str] = set()
        self._looks = 0
        self._may_look = True
        self._listens: dict[str, set[int]] = {}
        self._statuses: dict[str, int] = {}
        self._core_limits: dict[str, str] = {}

    async def all(self) -> Evidence:
        await asyncio.to_thread(self._store.start)
        try:
            async with self._simulator.serving() as url:
                dsn = await asyncio.to_thread(self._store.migrated, "crouter", self._deployment)
                customers = await make_customers(self._deployment, dsn)
                watch_secrets(self._canaries, customers)
                await self._ordinary(dsn, customers)
                await self._debugging(dsn, customers)
                await self._killed(dsn, customers)
                return await asyncio.to_thread(self._searched, url, dsn)
        finally:
            await asyncio.to_thread(self._store.stop)

    async def _ordinary(self, dsn: str, customers: Customers) -> None:
        """Everything that can happen to a request, and an ordinary stop."""
        async with running_world(self._sandbox, "ordinary", self._canaries, dsn, customers, self._simulator) as world:
            await scenarios.answered(world)
            await further_routes.batched(world)
            await further_routes.completed(world)
            await scenarios.refused(world)
            await scenarios.upstream_failed(world)
            await scenarios.clients_left(world)
            await scenarios.malformed(world)
            await scenarios.database_refuses(world)
            await scenarios.database_away(world, self._store)
            await self._end(world, signal.SIGTERM, content.slow_stream(self._plant("SIGTERM"), 0.1))

    async def _debugging(self, dsn: str, customers: Customers) -> None:
        """Crashes and noise within the service while every debugging switch is on, and an abort."""
        async with running_world(
            self._sandbox, "debugging", self._canaries, dsn, customers, self._simulator, *PLANTED_SERVICE, **DEBUGGING
        ) as world:
            await scenarios.crashed(world)
            await scenarios.malformed(world)
            for kind in ("api_error", "overloaded_error"):
                await world.message(f"debugging {kind}", content.error(self._plant(f"debugging {kind}"), kind))
            await scenarios.recovered(world)
            await further_routes.unread(world)
            reset = content.stream(self._plant("debugging reset"), Reset(), keep=6)
            await world.message("debugging reset", reset, stream=True)
            await self._end(world, signal.SIGABRT, content.stream(self._plant("abort"), Stall(), keep=6))

    async def _killed(self, dsn: str, customers: Customers) -> None:
        """A crash of the whole process."""
        async with running_world(
            self._sandbox, "segfault", self._canaries, dsn, customers, self._simulator, PYTHONFAULTHANDLER="1"
        ) as world:
            await self._end(world, signal.SIGSEGV, content.stream(self._plant("segfault"), Stall(), keep=6))

    def _plant(self, scenario: str) -> content.Plant:
        return lambda position: self._canaries.plant(f"{scenario}/{position}")

    async def _end(self, world: World, number: signal.Signals, reply: Scripted) -> None:
        name = number.name
        self._metrics.append(await world.metrics())
        self._our_answers += [(scenario, seen.body) for scenario, seen in world.answers if seen.ours]
        self._core_limits[name] = _core_limit(world.process.pid)
        self._statuses[name] = await end_in_a_stream(world, name, reply, number)
        self._destinations |= world.recorder.destinations
        self._looks += world.recorder.looks
        self._may_look &= world.recorder.may_look
        self._listens[name] = world.recorder.listens

    def _searched(self, upstream_url: str, dsn: str) -> Evidence:
        scan = Scan(self._canaries)
        scan.files(LOG, self._sandbox.output())
        scan.files(FILES, self._sandbox.written())
        for counters in self._metrics:
            scan.data(METRICS, "/metrics", counters)
        for scenario, body in self._our_answers:
            scan.data(OUR_ANSWERS, scenario, body)
        for database in ("crouter", "postgres"):
            scan.tables(TABLES, self._store.dsn(database))
        socket_folder = dsn.rpartition("host=")[2].partition("&")[0]
        self._store.stop()
        scan.files(STORE, (path for path in self._store.folder.rglob("*") if path.is_file()))
        received = [attempt.request for attempt in self._simulator.ledger if attempt.request is not None]
        raw_headers = b"\n".join(name + b": " + value for request in received for name, value in request.headers)
        contents = b"\n".join(request.target.encode() + b"\n" + request.body for request in received)
        return Evidence(
            canaries=self._canaries,
            findings=scan.findings,
            bytes_read=scan.bytes_read,
            upstream_content=self._canaries.present(contents),
            upstream_headers=self._canaries.present(raw_headers),
            upstream_raw=raw_headers + contents,
            destinations=frozenset(self._destinations),
            expected_destinations=frozenset(
                {f"tcp {upstream_url.removeprefix('http://')}", f"unix {unquote(socket_folder)}/.s.PGSQL.5432"}
            ),
            looks=self._looks,
            may_look=self._may_look,
            listens=self._listens,
            statuses=self._statuses,
            core_limits=self._core_limits,
        )


def _core_limit(pid: int) -> str:
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    return next(line for line in limits.splitlines() if "core file" in line)
