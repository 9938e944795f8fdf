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

    def left(self, window: _Window) -> int:
        """How many more requests fit, as of the last `wait`."""
        return window.most - self._total

    def add(self, window: _Window, at: float, requests: int) -> None:
        current = int(at / window.step)
        if self._steps and self._steps[-1][0] == current:
            self._steps[-1][1] += requests
        else:
            self._steps.append([current, requests])
        self._total += requests


class _Usage:
    """The counts of one key. `until` is when the first of its steps ends; up to then, `left` more requests fit."""

    __slots__ = ("counts", "left", "since", "until")

    def __init__(self, windows: int) -> None:
        self.counts = tuple(_Counts() for _ in range(windows))
        self.until = 0.0
        self.left = 0
        # Requests that were admitted since, and are not in the counts yet.
        self.since = 0


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
        self._usage: OrderedDict[Hashable, _Usage] = OrderedDict()

    def admit(self, key: Hashable) -> Reached | None:
        """Counts one request of `key`, or says which limit it would exceed; refused requests do not count."""
        now = self._clock()
        usage = self._usage.get(key)
        if usage is None:
            usage = _Usage(len(self._windows))
            self._usage[key] = usage
            while len(self._usage) > self._entries_max:
                self._usage.popitem(last=False)
        # Within one step nothing leaves a window: what was left at its beginning is counted down.
        if now < usage.until and usage.left > 0:
            usage.left -= 1
            usage.since += 1
            return None
        self._usage.move_to_end(key)
        self._take_over(usage)
        # The longest wait is the honest one.
        waits = [(count.wait(window, now), window) for count, window in zip(usage.counts, self._windows, strict=True)]
        wait, window = max(waits, key=lambda pair: pair[0])
        if wait > 0:
            return Reached(window.name, wait)
        usage.until = min((int(now / window.step) + 1) * window.step for window in self._windows)
        usage.left = min(counts.left(window) for counts, window in zip(usage.counts, self._windows, strict=True)) - 1
        usage.since = 1
        return None

    def _take_over(self, usage: _Usage) -> None:
        """Counts what was admitted in the step that `until` ends."""
        if usage.since:
            # Anywhere in the step is as good; its middle is safe from rounding.
            at = usage.until - self._windows[0].step / 2
            for counts, window in zip(usage.counts, self._windows, strict=True):
                counts.add(window, at, usage.since)
            usage.since = 0
        usage.until = 0.0
