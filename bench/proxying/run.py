"""Measures every peer under every load, in turns, so that a disturbance of the machine meets all of them."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.figures import Repeated
from bench.proxying import wrk
from bench.proxying.features import Feature, measure_features
from bench.proxying.field import CROUTER, DIRECT, GATEWAYS, HAPROXY, MINIMAL, NGINX, OURS, Field, Peer, running_peers
from bench.proxying.identity import SAME_BYTES, compared
from bench.proxying.leaving import measure_leaving
from bench.proxying.load import Exchange, Load, Shape, drive
from bench.proxying.loads import KINDS, SWEEP, Kind, Plan
from bench.proxying.processes import Cores, on_core, stopped, wait_until_quiet
from bench.proxying.samples import Cell, Sample
from bench.proxying.traffic import workloads
from bench.proxying.watch import Watch

_RECOVERY_SECONDS = 60.0
_SHIPPED_SECONDS = 60.0
WRK_PEERS = (DIRECT, NGINX, HAPROXY, MINIMAL, CROUTER)


@dataclass(frozen=True)
class Proxying:
    """Everything that was measured. `identity` says for each peer and workload how the answer came through,
    `idle_mib` each proxy's memory before the first request, `by_wrk` answers/s by another load generator."""

    plan: Plan
    peers: tuple[str, ...]
    absent: dict[str, str]
    versions: dict[str, str]
    identity: dict[str, dict[str, str]]
    cells: tuple[Cell, ...]
    sweep: tuple[Cell, ...]
    idle_mib: dict[str, float]
    features: tuple[Feature, ...]
    leaving_ms: dict[str, tuple[float, ...]]
    """By peer, how long after a client left the upstream knew."""
    by_wrk: dict[str, float]
    answered: int | None
    """What Crouter answered; None where it broke under a load, so that nobody knows."""
    metered: int

    @property
    def miscounted(self) -> bool:
        """Whether Crouter has metered another number of requests than it has answered."""
        return self.answered is not None and self.answered != self.metered

    @property
    def disturbed(self) -> Repeated | None:
        """The share of the proxies' core that unrelated processes took, in every round of every proxy."""
        shares = (
            sample.others_busy
            for cell in self.cells
            for peer, found in cell.samples.items()
            if peer != DIRECT
            for sample in found
        )
        values = tuple(shares)
        return Repeated(values) if values else None


def measure(policy: Path, plan: Plan, tell: Callable[[str], None]) -> Proxying:
    """Runs everything. `tell` is given a line of progress. Raises BenchError, ClusterError."""
    cores = Cores.of_this_machine()
    tell("proxy: starting the database, the upstream and the peers")
    with on_core(cores.load), running_peers(policy, cores, tell) as running:
        runs = Runs(running, cores.proxy, tell)
        runs.compare()
        cells = runs.rounds(plan)
        sweep = () if plan.is_quick else runs.sweep(plan)
        metered = runs.metered()
        by_wrk = runs.by_wrk()
        features = measure_features(running.prepared, cores, plan, tell)
        leaving_ms = measure_leaving(running.prepared, cores, plan.slow_rounds, tell)
        return Proxying(
            plan=plan,
            peers=tuple(peer.name for peer in running.peers),
            absent=running.absent,
            versions=running.versions,
            identity=runs.identity,
            cells=cells,
            sweep=sweep,
            idle_mib={peer.name: peer.idle_mib for peer in running.peers if peer.idle_mib is not None},
            features=features,
            leaving_ms=leaving_ms,
            by_wrk=by_wrk,
            answered=None if any(set(OURS) & set(cell.failed) for cell in (*cells, *sweep)) else runs.through_crouter,
            metered=metered,
        )


class Runs:
    """Single runs over the peers of a field, and how many answers came through Crouter in all of them."""

    def __init__(self, running: Field, core: int, tell: Callable[[str], None]) -> None:
        self._running, self._core, self._tell = running, core, tell
        self._workloads = workloads()
        self.identity: dict[str, dict[str, str]] = {}
        self.through_crouter = 0

    def compare(self) -> None:
        """Looks whether every peer hands on what it is given. Raises BenchError."""
        for peer in self._running.peers:
            found = self.identity.setdefault(peer.name, {})
            for workload in self._workloads.values():
                found[workload.name] = compared(peer, workload, self._running.prepared.key)
                self.through_crouter += peer.name in OURS

    def rounds(self, plan: Plan) -> tuple[Cell, ...]:
        """Every peer under every load, then again."""
        cells = {kind: Cell(kind.name, kind.title, kind.connections) for kind in KINDS}
        for number in range(max(plan.rounds, plan.paced_rounds)):
            for kind, cell in cells.items():
                due = [peer for peer in self._running.peers if plan.measures(kind, peer.name, number)]
                if due:
                    self._tell(f"proxy: round {number + 1} of {plan.rounds}, {kind.title}, {len(due)} peers")
                for peer in due:
                    self._sample(cell, peer, kind, plan)
        return tuple(cells.values())

    def sweep(self, plan: Plan) -> tuple[Cell, ...]:
        """Other numbers of paced streams, once."""
        cells = []
        for kind in SWEEP:
            self._tell(f"proxy: {kind.title}")
            cell = Cell(kind.name, kind.title, kind.connections)
            for peer in self._running.peers:
                self._sample(cell, peer, kind, plan)
            cells.append(cell)
        return tuple(cells)

    def by_wrk(self) -> dict[str, float]:
        """Small JSON by another load generator. What it sends through Crouter is not compared with the usage rows."""
        if wrk.wrk_program() is None:
            self._tell("proxy: wrk IS LEFT OUT: not installed (Debian: wrk)")
            return {}
        others = [peer for peer in self._running.peers if peer.name in WRK_PEERS]
        return {peer.name: wrk.answers_per_second(peer, self._running.prepared.key) for peer in others}

    def metered(self) -> int:
        """How many usage rows there are, once as many came as there were answers or they stopped coming."""
        deadline = time.monotonic() + _SHIPPED_SECONDS
        while (rows := self._running.prepared.usage_rows()) < self.through_crouter and time.monotonic() < deadline:
            time.sleep(0.2)
        return rows

    def _sample(self, cell: Cell, peer: Peer, kind: Kind, plan: Plan) -> None:
        waiting = [other.pid for other in self._running.peers if other.name in GATEWAYS and other.pid and other != peer]
        shape = plan.shape(kind, peer.name, drains=peer.name in OURS)
        watch = Watch(peer.pid, self._core)
        with stopped(waiting) if waiting else nullcontext():
            try:
                load = self._drive(peer, kind, shape, watch)
            except BenchError as error:
                # One peer that breaks under a load is a result; the others are measured all the same.
                cell.failed[peer.name] = str(error)
                self._tell(f"proxy: {peer.name} FAILED under {kind.title}: {error}")
            else:
                sample = Sample.of(load, watch.used(), has_proxy=peer.pid is not None)
                cell.samples.setdefault(peer.name, []).append(sample)
            if peer.pid:
                wait_until_quiet(peer.pid, _RECOVERY_SECONDS)

    def _drive(self, peer: Peer, kind: Kind, shape: Shape, watch: Watch) -> Load:
        workload = self._workloads[kind.workload]
        is_same = self.identity[peer.name][workload.name] == SAME_BYTES
        request = peer.dialect.request(workload, peer.port, self._running.prepared.key)
        exchange = Exchange(peer.port, request, workload.content if is_same else None)
        load = drive(exchange, shape, begins=watch.mark, ends=watch.mark)
        if peer.name in OURS:
            self.through_crouter += load.all_answers
        return load
