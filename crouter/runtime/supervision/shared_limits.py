"""Rate limits of several processes on one machine, exact over all of them: the windows lie in memory that they share.

The same windows and steps as `crouter.runtime.limits`, at the same numbers, in a file that every process maps. A lock
of the system keeps them apart for the few microseconds that a request needs, and falls with a process that dies. Ids of
keys are hashed, and only counts are kept beside them. A key has a place among `PLACES` others; the one that was unused
for longest makes room.
"""

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Callable, Hashable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

from crouter.contract.traffic import Limits
from crouter.runtime.limits import STEPS, Reached, Window, windows_of
from crouter.runtime.supervision.activation import SHARED

GROUPS: Final = 2048
PLACES: Final = 8

# The steps that lie in a window, and the one that is under way.
_CELLS: Final = STEPS + 1
_DIGEST_BYTES: Final = 16
_HEAD: Final = struct.Struct("<16sq")
_SUM: Final = struct.Struct("<qI")
_CELL: Final = struct.Struct("<I")
_RING: Final = struct.Struct(f"<{_CELLS}I")
_WINDOW_BYTES: Final = _SUM.size + _RING.size


_NAME: Final = "limits"


class SharedLimits:
    """Admits requests like `RateLimits`. `path` is the file, made by whoever comes first."""

    def __init__(self, limits: Limits, clock: Callable[[], float], path: Path) -> None:
        """Raises OSError. `clock` has to be the same for all processes: `time.monotonic` is."""
        self._windows = windows_of(limits)
        self._clock = clock
        self._place_bytes = _HEAD.size + len(self._windows) * _WINDOW_BYTES
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = GROUPS * PLACES * self._place_bytes
        # Sparse, and all zero: a place that was never used has the digest of nobody.
        os.ftruncate(self._file, size)
        self._memory = mmap.mmap(self._file, size)

    @classmethod
    def found(cls, environ: Mapping[str, str], limits: Limits) -> "SharedLimits | None":
        """Those of the supervisor that started this process; None if none did. Raises OSError."""
        folder = environ.get(SHARED)
        return cls(limits, time.monotonic, Path(folder, _NAME)) if folder else None

    def close(self) -> None:
        """Lets go of the memory."""
        self._memory.close()
        os.close(self._file)

    def admit(self, key: Hashable) -> Reached | None:
        """Counts one request of `key`, or says which limit it would exceed; refused requests do not count."""
        digest = blake2b(repr(key).encode(), digest_size=_DIGEST_BYTES).digest()
        now = self._clock()
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            return self._admitted(self._place(digest, now) + _HEAD.size, now)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _admitted(self, at: int, now: float) -> Reached | None:
        longest, name = 0.0, ""
        for number, window in enumerate(self._windows):
            wait = self._wait(window, at + number * _WINDOW_BYTES, now)
            # The longest wait is the honest one.
            if wait > longest:
                longest, name = wait, window.name
        if longest > 0:
            return Reached(name, longest)
        for number in range(len(self._windows)):
            self._add(at + number * _WINDOW_BYTES)
        return None

    def _place(self, digest: bytes, now: float) -> int:
        """Where a key's windows begin; the place of the one that was unused for longest if it has none."""
        group = int.from_bytes(digest[:4], "little") % GROUPS
        places = range(group * PLACES, (group + 1) * PLACES)
        found, oldest = -1, 0
        for place in places:
            at = place * self._place_bytes
            whose, used = _HEAD.unpack_from(self._memory, at)
            if whose == digest:
                _HEAD.pack_into(self._memory, at, digest, int(now))
                return at
            if found < 0 or used < oldest:
                found, oldest = at, used
        self._memory[found : found + self._place_bytes] = bytes(self._place_bytes)
        _HEAD.pack_into(self._memory, found, digest, int(now))
        return found

    def _wait(self, window: Window, at: int, now: float) -> float:
        """Seconds until one more request fits, 0 if it fits now. Forgets the steps that have left the window."""
        current = int(now / window.step)
        newest: int
        total: int
        newest, total = _SUM.unpack_from(self._memory, at)
        if current > newest:
            total = self._advance(at, newest, current)
        if total < window.most:
            return 0.0
        cells = _RING.unpack_from(self._memory, at + _SUM.size)
        oldest = next(step for step in range(current - STEPS, current + 1) if cells[step % _CELLS])
        return max((oldest + STEPS + 1) * window.step - now, 0.001)

    def _advance(self, at: int, newest: int, current: int) -> int:
        """Moves a window on; gives its sum, counted anew: a process may have died between two numbers."""
        ring: list[int] = list(_RING.unpack_from(self._memory, at + _SUM.size))
        for step in range(max(newest + 1, current - STEPS), current + 1):
            ring[step % _CELLS] = 0
        total = sum(ring)
        _RING.pack_into(self._memory, at + _SUM.size, *ring)
        _SUM.pack_into(self._memory, at, current, total)
        return total

    def _add(self, at: int) -> None:
        # The step that the window stands at: a clock read by another process may be ahead by a moment.
        newest, total = _SUM.unpack_from(self._memory, at)
        cell = at + _SUM.size + (newest % _CELLS) * _CELL.size
        (requests,) = _CELL.unpack_from(self._memory, cell)
        _CELL.pack_into(self._memory, cell, requests + 1)
        _SUM.pack_into(self._memory, at, newest, total + 1)
