"""Rate limits of one process: requests per minute, hour and day, over windows that slide in small steps.

A window is counted in steps, so that a key costs the same few numbers however much it is used. A request counts
until the step that it fell into has left the window: a limit is never exceeded, and frees up at most one step late.
No I/O; the clock is given.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from crouter.contract.traffic import Limits

STEPS: Final = 60
ENTRIES_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit is reached. `name` is how it is published."""

    name: str
    retry_after_seconds: float


@dataclass(frozen=True, slots=True)
class _Window:
    name: str
    seconds: float
    most: int

    @property
    def step(self) -> float:
        return self.seconds / STEPS


class _Counts:
    """How many requests fell into each step of one window; empty steps take no room."""

    __slots__ = ("_steps", "_total")

    def __init__(self) -> None:
        self._steps: deque[list[int]] = deque()
        self._total = 0

    def wait(self, window: _Window, now: float) -> float:
        """Seconds until one more request fits, 0 if it fits now."""
        current = int(now / window.step)
        while self._steps and self._steps[0][0] <= current - STEPS - 1:
            self._total -= self._steps.popleft()[1]
        if self._total < window.most:
            return 0.0
        oldest = self._steps[0][0]
        return max((oldest + STEPS + 1) * window.step - now, 0.001)

    def add(self, window: _Window, now: float) -> None:
        current = int(now / window.step)
        if self._steps and self._steps[-1][0] == current:
            self._steps[-1][1] += 1
        else:
            self._steps.append([current, 1])
        self._total += 1


class RateLimits:
    """The windows of every key that was seen lately; the longest unused are forgotten beyond a bound."""

    def __init__(self, limits: Limits, clock: Callable[[], float], entries_max: int = ENTRIES_MAX) -> None:
        self._windows = (
            _Window(f"{limits.requests_per_minute} requests per minute", 60.0, limits.requests_per_minute),
            _Window(f"{limits.requests_per_hour} requests per hour", 3600.0, limits.requests_per_hour),
            _Window(f"{limits.requests_per_day} requests per day", 86400.0, limits.requests_per_day),
        )
        self._clock = clock
        self._entries_max = entries_max
        self._counts: OrderedDict[Hashable, tuple[_Counts, ...]] = OrderedDict()

    def admit(self, key: Hashable) -> Reached | None:
        """Counts one request of `key`, or says which limit it would exceed; refused requests do not count."""
        now = self._clock()
        counts = self._counts.get(key)
        if counts is None:
            counts = tuple(_Counts() for _ in self._windows)
            self._counts[key] = counts
            while len(self._counts) > self._entries_max:
                self._counts.popitem(last=False)
        self._counts.move_to_end(key)
        # The longest wait is the honest one.
        waits = [(count.wait(window, now), window) for count, window in zip(counts, self._windows, strict=True)]
        wait, window = max(waits, key=lambda pair: pair[0])
        if wait > 0:
            return Reached(window.name, wait)
        for count, counted in zip(counts, self._windows, strict=True):
            count.add(counted, now)
        return None
