"""Measures every peer under every load, in turns, so that a disturbance of the machine meets all of them."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Repeated, percentile
from bench.proxying.load import Exchange, Load, drive
from bench.proxying.peers import CROUTER, DIRECT, Field, Peer, require_metered, running_peers
from bench.proxying.processes import Cores, core_seconds, cpu_seconds, on_core, resident_mib
from bench.proxying.traffic import Workload, workloads

CONNECTIONS = (1, 64)
WARM_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    rounds: int
    seconds: float

    @classmethod
    def of(cls, *, quick: bool) -> "Plan":
        """Three rounds of a second, or five of two."""
        return cls(3, 1.0) if quick else cls(5, 2.0)


@dataclass(frozen=True, slots=True)
class Sample:
    """One peer in one round. Latencies are in microseconds; `cpu_us` is the proxy's processor time for one answer."""

    answers_per_second: float
    p50_us: float
    p99_us: float
    cpu_us: float | None
    core_busy: float | None
    """The share of its core that the proxy used."""
    others_busy: float
    """The share of the proxy's core that other processes took: how far the round was disturbed."""


@dataclass
class Cell:
    """One load, and each peer's samples in the order of the rounds."""

    workload: str
    connections: int
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def figure(self, peer: str, of: Callable[[Sample], float | None]) -> Repeated | None:
        """A figure of every round; None where the peer has none."""
        found = [value for sample in self.samples[peer] if (value := of(sample)) is not None]
        return Repeated(tuple(found)) if found else None

    def added(self, peer: str, of: Callable[[Sample], float]) -> Repeated:
        """How much more than direct in the same round."""
        pairs = zip(self.samples[peer], self.samples[DIRECT], strict=True)
        return Repeated(tuple(of(one) - of(direct) for one, direct in pairs))


@dataclass(frozen=True)
class Proxying:
    """All cells, and the memory of each proxy in MiB before the first request and after the last."""

    plan: Plan
    peers: tuple[str, ...]
    cells: tuple[Cell, ...]
    memory_mib: dict[str, tuple[float, float]]
    metered: int


def measure(policy: Path, plan: Plan, tell: Callable[[str], None]) -> Proxying:
    """Runs everything. `tell` is given a line of progress. Raises BenchError, ClusterError."""
    cores = Cores.of_this_machine()
    tell("proxy: starting the database, the upstream and the peers")
    with on_core(cores.load), running_peers(policy, cores) as running:
        runs = _Runs(running, cores.proxy)
        runs.compare_all()
        cells = tuple(Cell(workload.name, connections) for workload, connections in _loads())
        for number in range(plan.rounds):
            tell(f"proxy: round {number + 1} of {plan.rounds}")
            for cell, (workload, connections) in zip(cells, _loads(), strict=True):
                for peer in running.peers:
                    sample = runs.sample(peer, workload, connections, plan.seconds)
                    cell.samples.setdefault(peer.name, []).append(sample)
        runs.compare_all()
        require_metered(running, runs.through_crouter)
        memory = {p.name: (p.idle_mib, resident_mib(p.pid)) for p in running.peers if p.pid and p.idle_mib}
        return Proxying(plan, tuple(p.name for p in running.peers), cells, memory, runs.through_crouter)


def _loads() -> Iterator[tuple[Workload, int]]:
    return ((workload, connections) for workload in workloads() for connections in CONNECTIONS)


class _Runs:
    """Single runs, and how many answers came through Crouter in all of them."""

    def __init__(self, running: Field, core: int) -> None:
        self._running = running
        self._core = core
        self.through_crouter = 0

    def compare_all(self) -> None:
        """A short run of every peer in which every body is compared to the last byte. Raises BenchError."""
        for peer in self._running.peers:
            for workload, connections in _loads():
                self._drive(peer, workload, connections, WARM_SECONDS, check_all=True)

    def sample(self, peer: Peer, workload: Workload, connections: int, seconds: float) -> Sample:
        """One measured run, after a short one to warm up."""
        self._drive(peer, workload, connections, WARM_SECONDS)
        before, core_before, began = self._used(peer), core_seconds(self._core), time.monotonic()
        load = self._drive(peer, workload, connections, seconds)
        used, core_used = self._used(peer) - before, core_seconds(self._core) - core_before
        elapsed = time.monotonic() - began
        ordered = sorted(load.latencies_ns)
        return Sample(
            answers_per_second=load.answers / load.seconds,
            p50_us=percentile(ordered, 50) / 1000,
            p99_us=percentile(ordered, 99) / 1000,
            cpu_us=used / load.all_answers * 1e6 if peer.pid else None,
            core_busy=used / elapsed if peer.pid else None,
            others_busy=max(core_used - used, 0.0) / elapsed,
        )

    def _used(self, peer: Peer) -> float:
        return cpu_seconds(peer.pid) if peer.pid else 0.0

    def _drive(
        self, peer: Peer, workload: Workload, connections: int, seconds: float, *, check_all: bool = False
    ) -> Load:
        request = workload.request(peer.port, self._running.prepared.key)
        exchange = Exchange(peer.port, request, workload.content)
        load = drive(exchange, connections, seconds, check_all=check_all)
        if peer.name == CROUTER:
            self.through_crouter += load.all_answers
        return load
