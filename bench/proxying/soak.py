"""Crouter under an even load for a long time: does anything grow? Memory, open files, and nothing lost on the way.

Small answers and paced streams in turns, well below what it can do, so that what grows is a leak and no queue.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.proxying.dialects import Dialect
from bench.proxying.field import Peer
from bench.proxying.identity import compared
from bench.proxying.load import Exchange, Shape, drive
from bench.proxying.peers.crouter import Store, service, store
from bench.proxying.processes import Cores, on_core, open_files, resident_mib, wait_until_quiet
from bench.proxying.traffic import JSON, PACED, workloads
from bench.proxying.upstream import upstream

SLICE_SECONDS = 10.0
GROWTH_MIB_MAX = 8.0
"""What allocators may still take after the first quarter without anything leaking."""
FILES_MAX = 16
_STREAMS, _CONNECTIONS = 100, 8
_QUIET_SECONDS = 5.0
_SHIPPED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Look:
    """Crouter between two slices of load, with nothing under way."""

    minutes: float
    answers: int
    resident_mib: float
    open_files: int


@dataclass(frozen=True)
class Soak:
    """Every look in order, and how many usage rows there were at the end."""

    looks: tuple[Look, ...]
    answered: int
    metered: int

    @property
    def grown_mib(self) -> float:
        """From the first quarter's largest to the last quarter's least, so that a saw-tooth is no growth."""
        quarter = max(len(self.looks) // 4, 1)
        before = max(look.resident_mib for look in self.looks[:quarter])
        return min(look.resident_mib for look in self.looks[-quarter:]) - before

    @property
    def grown_files(self) -> int:
        """The same of open files."""
        quarter = max(len(self.looks) // 4, 1)
        before = max(look.open_files for look in self.looks[:quarter])
        return min(look.open_files for look in self.looks[-quarter:]) - before

    @property
    def grows(self) -> bool:
        return self.grown_mib > GROWTH_MIB_MAX or self.grown_files > FILES_MAX


def soak(policy: Path, minutes: float, tell: Callable[[str], None]) -> Soak:
    """Runs for so long. Raises BenchError, ClusterError."""
    cores = Cores.of_this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crouter-bench-")))
        stack.enter_context(on_core(cores.load))
        prepared = stack.enter_context(store(policy, folder))
        port = stack.enter_context(upstream(folder))
        with on_core(cores.proxy):
            pid, own_port = stack.enter_context(service(prepared, port, folder))
        return _Soak(prepared, Peer("Crouter", own_port, pid, None, Dialect()), pid).run(minutes * 60, tell)


def report(result: Soak) -> str:
    """The result as Markdown."""
    first, last = result.looks[0], result.looks[-1]
    verdict = "**IT GROWS.**" if result.grows else "No growth."
    metered = "" if result.answered == result.metered else " **THESE HAVE TO BE EQUAL.**"
    return (
        f"{last.minutes:.0f} minutes, {result.answered:,} answers, {result.metered:,} metered.{metered} "
        f"Resident {first.resident_mib:.1f} MiB after the first {first.minutes * 60:.0f} s, {last.resident_mib:.1f} at "
        f"the end; from the first quarter's most to the last quarter's least {result.grown_mib:+.1f} MiB and "
        f"{result.grown_files:+d} open files. {verdict}\n"
    )


def values(result: Soak) -> dict[str, Any]:
    """The result with every look, for JSON."""
    return {**asdict(result), "grown_mib": result.grown_mib, "grown_files": result.grown_files}


class _Soak:
    def __init__(self, prepared: Store, peer: Peer, pid: int) -> None:
        self._prepared, self._peer, self._pid = prepared, peer, pid
        self._answers = 0

    def run(self, seconds: float, tell: Callable[[str], None]) -> Soak:
        for workload in workloads().values():
            compared(self._peer, workload, self._prepared.key)
            self._answers += 1
        looks: list[Look] = []
        began = time.monotonic()
        slice_seconds = min(SLICE_SECONDS, seconds / 4)
        while time.monotonic() - began < seconds or len(looks) < 2:
            self._drive(JSON, Shape(_CONNECTIONS, slice_seconds))
            self._drive(PACED, Shape(_STREAMS, slice_seconds, ramp_seconds=1.0))
            wait_until_quiet(self._pid, _QUIET_SECONDS)
            looks.append(self._look(began))
            tell(f"soak: {looks[-1].minutes:.1f} min, {looks[-1].resident_mib:.1f} MiB, {looks[-1].open_files} files")
        return Soak(tuple(looks), self._answers, self._metered())

    def _drive(self, name: str, shape: Shape) -> None:
        workload = workloads()[name]
        request = self._peer.dialect.request(workload, self._peer.port, self._prepared.key)
        exchange = Exchange(self._peer.port, request, workload.content)
        load = drive(exchange, shape, begins=_nothing, ends=_nothing)
        if not load.all_answers:
            raise BenchError("nothing was answered in a slice of the soak")
        self._answers += load.all_answers

    def _look(self, began: float) -> Look:
        minutes = (time.monotonic() - began) / 60
        return Look(minutes, self._answers, resident_mib(self._pid), open_files(self._pid))

    def _metered(self) -> int:
        deadline = time.monotonic() + _SHIPPED_SECONDS
        while (rows := self._prepared.usage_rows()) < self._answers and time.monotonic() < deadline:
            time.sleep(0.2)
        return rows


def _nothing() -> None:
    pass
