"""Counts of several processes as one: each leaves its own in a shared folder, and whoever is asked tells the sum.

What a process says is at most `WRITE_SECONDS` old. When it ends, what it counted goes on counting, and what it showed
does not. The folder is the supervisor's and ends with it.
"""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from crouter.runtime.metrics import Metrics, Series
from crouter.runtime.supervision.activation import SHARED

WRITE_SECONDS: Final = 1.0

_LIVE: Final = "live-{}.json"
_ENDED: Final = "ended-{}.json"


class SharedCounts:
    """What this process, `pid`, tells the others, and they it."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._folder = folder
        self._own = folder / _LIVE.format(pid)

    @classmethod
    def found(cls, environ: Mapping[str, str]) -> "SharedCounts | None":
        """Those of the supervisor that started this process; None if none did."""
        folder = environ.get(SHARED)
        return cls(Path(folder), os.getpid()) if folder else None

    def read(self) -> Iterator[Mapping[str, Series]]:
        """What every other process has counted, and the living ones show."""
        for path in sorted(self._folder.glob("*.json")):
            if path != self._own and (told := _read(path)) is not None:
                yield _series(told["counters"])
                if path.name.startswith("live-"):
                    yield _series(told["gauges"])

    def write(self, metrics: Metrics) -> None:
        """Leaves what this process says now. Raises OSError."""
        told = {"counters": _listed(metrics.counters()), "gauges": _listed(metrics.gauges())}
        fresh = self._own.with_suffix(".new")
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(self._own)

    async def keep(self, metrics: Metrics) -> None:
        """Writes again and again, and once more when it is cancelled."""
        try:
            while True:
                self.write(metrics)
                await asyncio.sleep(WRITE_SECONDS)
        finally:
            self.write(metrics)


def mark_ended(folder: Path, pid: int) -> None:
    """The process is gone: its counts stay."""
    live = folder / _LIVE.format(pid)
    if live.exists():
        live.replace(folder / _ENDED.format(pid))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        # Renamed between two looks: it is told under its new name the next time.
        return None
    return told


def _listed(told: dict[str, Series]) -> dict[str, list[tuple[tuple[str, ...], float]]]:
    return {name: list(series.items()) for name, series in told.items()}


def _series(listed: dict[str, list[tuple[list[str], float]]]) -> dict[str, Series]:
    return {name: {tuple(values): number for values, number in series} for name, series in listed.items()}
