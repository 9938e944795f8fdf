"""Limits of several processes on one machine, exact over all of them: the windows lie in memory that they share.

The same windows and steps as `crouter.runtime.limits`, at the same numbers, in a file that every process maps. A lock
of the system keeps them apart for the few microseconds that a request needs, and falls with a process that dies. Ids of
keys are hashed, and only counts are kept beside them. A key has a place among `PLACES` others; the one that was unused
for longest makes room. Requests under way are counted in a column of their process: those of one that was killed are
left out as soon as somebody would be refused for them.
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
from crouter.runtime.limit_standing import Figure, Standing
from crouter.runtime.limits import STEPS, Reached, Window, Windows, reached_at_once, windows_of
from crouter.runtime.supervision.activation import SHARED
from crouter.runtime.supervision.columns import COLUMNS, Column

GROUPS: Final = 2048
PLACES: Final = 8

# The steps that lie in a window, and the one that is under way.
_CELLS: Final = STEPS + 1
_DIGEST_BYTES: Final = 16
_HEAD: Final = struct.Struct("<16sq")
_SUM: Final = struct.Struct("<qQ")
_CELL: Final = struct.Struct("<I")
_RING: Final = struct.Struct(f"<{_CELLS}I")
_WINDOW_BYTES: Final = _SUM.size + _RING.size
# Requests of the three periods, input tokens, output tokens.
_REQUEST_WINDOWS: Final = 3
_INPUT, _OUTPUT = 3, 4
_WINDOWS_BYTES: Final = 5 * _WINDOW_BYTES
# How many requests are under way, and how many of them in each column: epoch of the column, and count.
_UNDER_WAY: Final = struct.Struct("<I")
_SHARE: Final = struct.Struct("<HH")
_PLACE_BYTES: Final = _HEAD.size + _WINDOWS_BYTES + _UNDER_WAY.size + COLUMNS * _SHARE.size
_EPOCH: Final = struct.Struct("<H")
_EPOCHS_BYTES: Final = COLUMNS * _EPOCH.size
_COUNT_MAX: Final = 65_535


_NAME: Final = "limits"


class SharedPass:
    """A pass of `SharedLimits`."""

    __slots__ = ("_digest", "_is_open", "_limits", "_shared")

    def __init__(self, shared: "SharedLimits", digest: bytes, limits: Limits) -> None:
        self._shared = shared
        self._digest = digest
        self._limits = limits
        self._is_open = True

    def used(self, input_tokens: int, output_tokens: int) -> None:
        self._shared.add_tokens(self._digest, input_tokens, output_tokens)

    def standing(self) -> Standing:
        return self._shared.standing(self._digest, self._limits)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._shared.leave(self._digest)

    def __del__(self) -> None:
        # A place must not outlive its request, whatever became of that.
        self.close()


class SharedLimits:
    """Admits requests like `RateLimits`. `path` is the file, made by whoever comes first."""

    def __init__(self, limits: Limits, clock: Callable[[], float], path: Path) -> None:
        """Raises OSError. `clock` has to be the same for all processes: `time.monotonic` is."""
        self._limits = limits
        self._clock = clock
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        size = _EPOCHS_BYTES + GROUPS * PLACES * _PLACE_BYTES
        # Sparse, and all zero: a place that was never used has the digest of nobody.
        os.ftruncate(self._file, size)
        self._memory = mmap.mmap(self._file, size)
        self._column = Column(path)
        at = self._column.number * _EPOCH.size
        self._epoch = (_EPOCH.unpack_from(self._memory, at)[0] + 1) % (_COUNT_MAX + 1)
        _EPOCH.pack_into(self._memory, at, self._epoch)

    @classmethod
    def found(cls, environ: Mapping[str, str], limits: Limits) -> "SharedLimits | None":
        """Those of the supervisor that started this process; None if none did. Raises OSError."""
        folder = environ.get(SHARED)
        return cls(limits, time.monotonic, Path(folder, _NAME)) if folder else None

    def close(self) -> None:
        """Lets go of the memory."""
        self._column.close()
        self._memory.close()
        os.close(self._file)

    def admit(self, key: Hashable, limits: Limits | None = None) -> SharedPass | Reached:
        """Counts one request of `key`, or says which limit it would exceed; refused requests do not count."""
        digest = blake2b(repr(key).encode(), digest_size=_DIGEST_BYTES).digest()
        limits = limits or self._limits
        windows = windows_of(limits)
        with self._locked():
            now = self._clock()
            at = self._place(digest, now)
            reached = self._refusal(at, windows, now)
            if reached is not None:
                return reached
            for number in range(_REQUEST_WINDOWS):
                self._add(at + _HEAD.size + number * _WINDOW_BYTES, 1)
            self._enter(at, 1)
        return SharedPass(self, digest, limits)

    async def admitted(self, key: Hashable, limits: Limits | None = None) -> SharedPass | Reached:
        """The same: nobody else has to be asked."""
        return self.admit(key, limits)

    def add_tokens(self, digest: bytes, input_tokens: int, output_tokens: int) -> None:
        """What a request of the key used."""
        with self._locked():
            now = self._clock()
            at = self._place(digest, now) + _HEAD.size
            for number, amount in ((_INPUT, input_tokens), (_OUTPUT, output_tokens)):
                if amount > 0:
                    # The step of a minute's window, whatever its limit.
                    self._forget(at + number * _WINDOW_BYTES, int(now * STEPS / 60.0))
                    self._add(at + number * _WINDOW_BYTES, amount)

    def leave(self, digest: bytes) -> None:
        """A request of the key is over. Its place may be another key's by now."""
        if self._memory.closed:
            return
        with self._locked():
            at = self._found(digest)
            if at is not None:
                self._enter(at, -1)

    def standing(self, digest: bytes, limits: Limits) -> Standing:
        """How the key stands now."""
        with self._locked():
            now = self._clock()
            return self._standing(self._place(digest, now), windows_of(limits), now)

    def _locked(self) -> "_Lock":
        return _Lock(self._file)

    def _refusal(self, at: int, windows: Windows, now: float) -> Reached | None:
        if windows.at_once is not None and self._is_full(at, windows.at_once):
            return reached_at_once(windows.at_once, self._standing(at, windows, now))
        longest, reached = 0.0, windows.requests[0]
        for place, window in self._windows(at, windows):
            wait = self._wait(window, place, now)
            # The longest wait is the honest one.
            if wait > longest:
                longest, reached = wait, window
        if longest == 0:
            return None
        return Reached(reached.name, longest, reached.limit, self._standing(at, windows, now))

    @staticmethod
    def _windows(at: int, windows: Windows) -> list[tuple[int, Window]]:
        """The windows that have a limit, and where they are."""
        every = (*windows.requests, windows.input_tokens, windows.output_tokens)
        begin = at + _HEAD.size
        return [(begin + n * _WINDOW_BYTES, window) for n, window in enumerate(every) if window is not None]

    def _standing(self, at: int, windows: Windows, now: float) -> Standing:
        begin = at + _HEAD.size
        requests = [
            self._figure(window, begin + number * _WINDOW_BYTES, now) for number, window in enumerate(windows.requests)
        ]
        tokens = (
            None if window is None else self._figure(window, begin + number * _WINDOW_BYTES, now)
            for number, window in ((_INPUT, windows.input_tokens), (_OUTPUT, windows.output_tokens))
        )
        return Standing(min(requests, key=lambda figure: figure.remaining), *tokens)

    def _figure(self, window: Window, at: int, now: float) -> Figure:
        current = int(now / window.step)
        total = self._forget(at, current)
        if total == 0:
            return Figure(window.most, window.most, 0.0)
        cells = _RING.unpack_from(self._memory, at + _SUM.size)
        last = next(step for step in range(current, current - _CELLS, -1) if cells[step % _CELLS])
        reset = max((last + STEPS + 1) * window.step - now, 0.0)
        return Figure(window.most, max(window.most - total, 0), reset)

    def _found(self, digest: bytes) -> int | None:
        """Where the place of a key begins, if it has one."""
        group = int.from_bytes(digest[:4], "little") % GROUPS
        for place in range(group * PLACES, (group + 1) * PLACES):
            at = _EPOCHS_BYTES + place * _PLACE_BYTES
            if _HEAD.unpack_from(self._memory, at)[0] == digest:
                return at
        return None

    def _place(self, digest: bytes, now: float) -> int:
        """Where the place of a key begins; that of the one that was unused for longest if it has none."""
        at = self._found(digest)
        if at is None:
            group = int.from_bytes(digest[:4], "little") % GROUPS
            places = (_EPOCHS_BYTES + (group * PLACES + n) * _PLACE_BYTES for n in range(PLACES))
            at = min(places, key=lambda place: _HEAD.unpack_from(self._memory, place)[1])
            self._memory[at : at + _PLACE_BYTES] = bytes(_PLACE_BYTES)
        _HEAD.pack_into(self._memory, at, digest, int(now))
        return at

    def _wait(self, window: Window, at: int, now: float) -> float:
        """Seconds until one more fits, 0 if it fits now. Forgets the steps that have left the window."""
        current = int(now / window.step)
        total = self._forget(at, current)
        if total < window.most:
            return 0.0
        cells = _RING.unpack_from(self._memory, at + _SUM.size)
        for step in range(current - STEPS, current + 1):
            total -= cells[step % _CELLS]
            if total < window.most:
                return max((step + STEPS + 1) * window.step - now, 0.001)
        return max(window.step, 0.001)

    def _forget(self, at: int, current: int) -> int:
        """Moves a window on; gives its sum."""
        newest: int
        total: int
        newest, total = _SUM.unpack_from(self._memory, at)
        return self._advance(at, newest, current) if current > newest else total

    def _advance(self, at: int, newest: int, current: int) -> int:
        """Moves a window on; gives its sum, counted anew: a process may have died between two numbers."""
        ring: list[int] = list(_RING.unpack_from(self._memory, at + _SUM.size))
        for step in range(max(newest + 1, current - STEPS), current + 1):
            ring[step % _CELLS] = 0
        total = sum(ring)
        _RING.pack_into(self._memory, at + _SUM.size, *ring)
        _SUM.pack_into(self._memory, at, current, total)
        return total

    def _add(self, at: int, amount: int) -> None:
        # The step that the window stands at: a clock read by another process may be ahead by a moment.
        newest, total = _SUM.unpack_from(self._memory, at)
        cell = at + _SUM.size + (newest % _CELLS) * _CELL.size
        (counted,) = _CELL.unpack_from(self._memory, cell)
        added = min(counted + amount, 0xFFFF_FFFF) - counted
        _CELL.pack_into(self._memory, cell, counted + added)
        _SUM.pack_into(self._memory, at, newest, total + added)

    def _enter(self, at: int, difference: int) -> None:
        """One more, or one less, of this process's requests of a key is under way."""
        sum_at = at + _HEAD.size + _WINDOWS_BYTES
        share_at = sum_at + _UNDER_WAY.size + self._column.number * _SHARE.size
        epoch, own = _SHARE.unpack_from(self._memory, share_at)
        own = own if epoch == self._epoch else 0
        if not 0 <= own + difference <= _COUNT_MAX:
            return
        (under_way,) = _UNDER_WAY.unpack_from(self._memory, sum_at)
        _SHARE.pack_into(self._memory, share_at, self._epoch, own + difference)
        _UNDER_WAY.pack_into(self._memory, sum_at, max(under_way + difference, 0))

    def _is_full(self, at: int, most: int) -> bool:
        sum_at = at + _HEAD.size + _WINDOWS_BYTES
        if _UNDER_WAY.unpack_from(self._memory, sum_at)[0] < most:
            return False
        # Counted anew before anybody is refused: a process may have died with some.
        under_way = 0
        for number in range(COLUMNS):
            epoch, count = _SHARE.unpack_from(self._memory, sum_at + _UNDER_WAY.size + number * _SHARE.size)
            if not count or epoch != _EPOCH.unpack_from(self._memory, number * _EPOCH.size)[0]:
                continue
            if self._column.is_alive(number):
                under_way += count
        _UNDER_WAY.pack_into(self._memory, sum_at, under_way)
        return under_way >= most


class _Lock:
    """The lock of the file, for a block."""

    __slots__ = ("_file",)

    def __init__(self, file: int) -> None:
        self._file = file

    def __enter__(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def __exit__(self, *error: object) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)
