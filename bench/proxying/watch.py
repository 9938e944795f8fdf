"""Looks at a proxy's process and its core at both ends of the window that is counted."""

import time
from dataclasses import dataclass, field

from bench.proxying.processes import core_seconds, cpu_seconds, resident_mib
from bench.proxying.samples import Used


@dataclass
class Watch:
    """Notes what a process and its core have used when the window begins and when it ends."""

    pid: int | None
    core: int
    _marks: list[tuple[float, float, float]] = field(default_factory=list)
    _resident_mib: float = 0.0

    def mark(self) -> None:
        """To be called at both ends of the window."""
        used = cpu_seconds(self.pid) if self.pid else 0.0
        self._marks.append((used, core_seconds(self.core), time.monotonic()))
        self._resident_mib = resident_mib(self.pid) if self.pid else 0.0

    def used(self) -> Used:
        """What was used between the two marks."""
        (cpu, core, at), (cpu_later, core_later, later) = self._marks
        return Used(cpu_later - cpu, core_later - core, later - at, self._resident_mib)
