"""Limits of keys in one process: requests and tokens over windows that slide in small steps, and requests at once.

A window is counted in steps, so that a key costs the same few numbers however much it is used. What was counted stays
until the step that it fell into has left the window: a limit is never exceeded, and frees up at most one step late.
Requests count when they are admitted. Tokens count when the upstream has reported them: whoever is below the limit is
admitted, so what is under way may take a key beyond it, and then it waits. No I/O; the clock is given.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Protocol
from uuid import UUID

from crouter.contract.traffic import Limits
from crouter.runtime.limit_standing import Figure, Standing

STEPS: Final = 60
ENTRIES_MAX: Final = 20_000
AT_ONCE_RETRY_SECONDS: Final = 1.0
CONCURRENT: Final = "concurrent_requests"


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit is reached. `name` is how it is published, `limit` what policy.yaml calls it."""

    name: str
    retry_after_seconds: float
    limit: str = ""
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """So many requests, or tokens, in so many seconds. `limit` is what policy.yaml calls it."""

    name: str
    seconds: float
    most: int
    limit: str = ""

    @property
    def step(self) -> float:
        return self.seconds / STEPS


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one set of limits. Tokens have none where there is no limit."""

    requests: tuple[Window, ...]
    """The shortest first."""
    input_tokens: Window | None
    output_tokens: Window | None
    at_once: int | None

    @property
    def all(self) -> tuple[Window, ...]:
        """Those of requests first."""
        tokens = (self.input_tokens, self.output_tokens)
        return (*self.requests, *(window for window in tokens if window is not None))


@lru_cache(maxsize=1024)
def requests_only(limits: Limits) -> Limits:
    """The limits of what is not metered: no tokens, and nothing that lasts."""
    return replace(limits, input_tokens_per_minute=None, output_tokens_per_minute=None, concurrent_requests=None)


@lru_cache(maxsize=1024)
def windows_of(limits: Limits) -> Windows:
    """The windows of declared limits."""
    requests = (
        ("requests_per_minute", 60.0, limits.requests_per_minute),
        ("requests_per_hour", 3600.0, limits.requests_per_hour),
        ("requests_per_day", 86400.0, limits.requests_per_day),
    )
    return Windows(
        requests=tuple(_window(name, seconds, most) for name, seconds, most in requests),
        input_tokens=_token_window("input_tokens_per_minute", limits.input_tokens_per_minute),
        output_tokens=_token_window("output_tokens_per_minute", limits.output_tokens_per_minute),
        at_once=limits.concurrent_requests,
    )


def _token_window(limit: str, most: int | None) -> Window | None:
    return None if most is None else _window(limit, 60.0, most)


def _window(limit: str, seconds: float, most: int) -> Window:
    return Window(f"{most} {limit.replace('_', ' ')}", seconds, most, limit)


def reached_at_once(most: int, standing: Standing | None = None) -> Reached:
    """As many requests are under way as may be."""
    return Reached(f"{most} requests at once", AT_ONCE_RETRY_SECONDS, CONCURRENT, standing)


class Pass(Protocol):
    """A request that was admitted: its place among those under way, until it is closed."""

    def used(self, input_tokens: int, output_tokens: int) -> None:
        """What the upstream reported, tokens read from a cache apart; also after `close`."""

    def standing(self) -> Standing:
        """How the key stands now."""

    def close(self) -> None:
        """The request is over. Closing again does nothing."""


class Admitting(Protocol):
    """Whatever keeps the limits of keys. `limits` are those of the key where they are not the declared ones."""

    def admit(self, key: Hashable, limits: Limits | None = None) -> Pass | Reached | None:
        """Counts one request of `key`, or says which limit it would exceed; refused requests do not count.

        None says nothing: ask `admitted`.
        """

    async def admitted(self, key: Hashable, limits: Limits | None = None) -> Pass | Reached:
        """The same, also where somebody else has to be asked."""


class Counts:
    """How much fell into each step of one window; empty steps take no room."""

    __slots__ = ("_steps", "_total")

    def __init__(self) -> None:
        self._steps: deque[list[int]] = deque()
        self._total = 0

    def wait(self, window: Window, now: float) -> float:
        """Seconds until one more fits, 0 if it fits now."""
        self.forget(window, now)
        if self._total < window.most:
            return 0.0
        # As many steps have to leave as bring the sum below the limit.
        total = self._total
        for step, amount in self._steps:
            total -= amount
            if total < window.most:
                return max((step + STEPS + 1) * window.step - now, 0.001)
        raise AssertionError("without any step nothing is counted")

    def forget(self, window: Window, now: float) -> None:
        """Lets go of the steps that have left the window."""
        gone = int(now / window.step) - STEPS - 1
        steps = self._steps
        while steps and steps[0][0] <= gone:
            self._total -= steps.popleft()[1]

    def left(self, window: Window) -> int:
        """How much more fits, as of the last `wait`."""
        return window.most - self._total

    def reset_seconds(self, window: Window, now: float) -> float:
        """How long until nothing is counted any more."""
        return max((self._steps[-1][0] + STEPS + 1) * window.step - now, 0.0) if self._steps else 0.0

    def add(self, window: Window, at: float, amount: int) -> None:
        current = int(at / window.step)
        if self._steps and self._steps[-1][0] == current:
            self._steps[-1][1] += amount
        else:
            self._steps.append([current, amount])
        self._total += amount


class Usage:
    """The counts of one key. `until` is when the first of its steps ends; up to then, `left` more requests fit."""

    __slots__ = (
        "counts",
        "input_tokens",
        "left",
        "limits",
        "output_tokens",
        "since",
        "tightest",
        "under_way",
        "until",
        "windows",
    )

    def __init__(self, limits: Limits, windows: Windows) -> None:
        self.limits = limits
        self.windows = windows
        self.counts = tuple(Counts() for _ in windows.requests)
        self.input_tokens = Counts()
        self.output_tokens = Counts()
        self.under_way = 0
        self.until = 0.0
        self.left = 0
        # Requests that were admitted since, and are not in the counts yet; which window fills up first.
        self.since = 0
        self.tightest = windows.requests[0]

    def take_over(self) -> None:
        """Counts what was admitted in the step that `until` ends."""
        if self.since:
            # Anywhere in the step is as good; its middle is safe from rounding.
            at = self.until - self.windows.requests[0].step / 2
            for counts, window in zip(self.counts, self.windows.requests, strict=True):
                counts.add(window, at, self.since)
            self.since = 0
        self.until = 0.0

    def use(self, counts: Counts, window: Window, now: float, amount: int) -> None:
        """Counts tokens."""
        counts.forget(window, now)
        counts.add(window, now, amount)
        if counts.left(window) <= 0:
            # The next request looks at everything anew.
            self.take_over()

    def tokens(self) -> tuple[tuple[Counts, Window], ...]:
        """The counts of tokens that have a limit."""
        both = ((self.input_tokens, self.windows.input_tokens), (self.output_tokens, self.windows.output_tokens))
        return tuple((counts, window) for counts, window in both if window is not None)

    def standing(self, now: float) -> Standing:
        """How the key stands, by the window of requests that fills up first."""
        window = self.tightest
        reset = (int(now / window.step) + STEPS + 1) * window.step - now
        requests = Figure(window.most, max(self.left, 0), reset)
        return Standing(
            requests,
            self._figure(self.input_tokens, self.windows.input_tokens, now),
            self._figure(self.output_tokens, self.windows.output_tokens, now),
        )

    @staticmethod
    def _figure(counts: Counts, window: Window | None, now: float) -> Figure | None:
        if window is None:
            return None
        counts.forget(window, now)
        return Figure(window.most, max(counts.left(window), 0), counts.reset_seconds(window, now))


class OwnPass:
    """A pass of `RateLimits`."""

    __slots__ = ("_clock", "_is_open", "_usage")

    def __init__(self, usage: Usage, clock: Callable[[], float]) -> None:
        self._usage = usage
        self._clock = clock
        self._is_open = True
        usage.under_way += 1

    def used(self, input_tokens: int, output_tokens: int) -> None:
        usage = self._usage
        given, made = usage.windows.input_tokens, usage.windows.output_tokens
        if given is None and made is None:
            return
        now = self._clock()
        if given is not None and input_tokens > 0:
            usage.use(usage.input_tokens, given, now, input_tokens)
        if made is not None and output_tokens > 0:
            usage.use(usage.output_tokens, made, now, output_tokens)

    def standing(self) -> Standing:
        return self._usage.standing(self._clock())

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._usage.under_way -= 1

    def __del__(self) -> None:
        # A place must not outlive its request, whatever became of that.
        self.close()


class RateLimits:
    """The windows of every key that was seen lately; the longest unused are forgotten beyond a bound."""

    def __init__(self, limits: Limits, clock: Callable[[], float], entries_max: int = ENTRIES_MAX) -> None:
        self._limits = limits
        self._windows = windows_of(limits)
        self._clock = clock
        self._entries_max = entries_max
        self._usage: OrderedDict[Hashable, Usage] = OrderedDict()

    def admit(self, key: Hashable, limits: Limits | None = None) -> OwnPass | Reached:
        """Counts one request of `key`, or says which limit it would exceed; refused requests do not count."""
        key = _place(key)
        now = self._clock()
        usage = self._usage.get(key)
        if usage is None:
            usage = self._new(key)
        if (limits or self._limits) is not usage.limits:
            self._relimit(usage, limits or self._limits)
        at_once = usage.windows.at_once
        if at_once is not None and usage.under_way >= at_once:
            return reached_at_once(at_once, usage.standing(now))
        # Within one step nothing leaves a window: what was left at its beginning is counted down.
        if now < usage.until and usage.left > 0:
            usage.left -= 1
            usage.since += 1
            return OwnPass(usage, self._clock)
        self._usage.move_to_end(key)
        return self._looked_up(usage, now)

    async def admitted(self, key: Hashable, limits: Limits | None = None) -> OwnPass | Reached:
        """The same: nobody else has to be asked."""
        return self.admit(key, limits)

    def _looked_up(self, usage: Usage, now: float) -> OwnPass | Reached:
        usage.take_over()
        windows = usage.windows.requests
        counted = (*zip(usage.counts, windows, strict=True), *usage.tokens())
        # The longest wait is the honest one.
        wait, window = max(((counts.wait(window, now), window) for counts, window in counted), key=lambda one: one[0])
        left = [counts.left(window) for counts, window in zip(usage.counts, windows, strict=True)]
        usage.left = min(left)
        usage.tightest = windows[left.index(usage.left)]
        if wait > 0:
            return Reached(window.name, wait, window.limit, usage.standing(now))
        usage.until = min((int(now / window.step) + 1) * window.step for window in windows)
        usage.left -= 1
        usage.since = 1
        return OwnPass(usage, self._clock)

    def _new(self, key: Hashable) -> Usage:
        usage = self._usage[key] = Usage(self._limits, self._windows)
        for _ in range(len(self._usage) - self._entries_max):
            oldest, forgotten = self._usage.popitem(last=False)
            if forgotten.under_way:
                self._usage[oldest] = forgotten
        return usage

    @staticmethod
    def _relimit(usage: Usage, limits: Limits) -> None:
        """Another set of limits holds for the key from here on; what was counted stays."""
        usage.take_over()
        usage.limits, usage.windows = limits, windows_of(limits)


def _place(key: Hashable) -> Hashable:
    """What the counts of a key are found by: for an id its number, because the hash of an id takes very long."""
    if isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], UUID):
        return (key[0].int, key[1])
    return key
