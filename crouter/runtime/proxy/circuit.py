"""When something that failed may be tried again: closed, open for a while, then one probe. Pure; time is given."""

from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "probing"]


@dataclass(frozen=True, slots=True)
class CircuitRules:
    """Opens after `failures_min` failures in a row, for `open_seconds` and twice as long each time a probe fails."""

    failures_min: int
    open_seconds: float
    open_seconds_max: float


class Circuit:
    """One circuit. Whoever may pass says `begin`, and with its answer one of the others."""

    __slots__ = ("_failures", "_is_probed", "_open_until", "_openings", "_rests_until", "_rules")

    def __init__(self, rules: CircuitRules) -> None:
        self._rules = rules
        self._failures = 0
        self._openings = 0
        self._open_until = 0.0
        self._rests_until = 0.0
        self._is_probed = False

    def state(self, now: float) -> State:
        """`probing` begins with the first chance of a probe and ends with its answer."""
        if now < max(self._open_until, self._rests_until):
            return "open"
        return "probing" if self._openings else "closed"

    def may_pass(self, now: float) -> bool:
        """Whether another attempt is allowed: always when closed, one at a time when probing."""
        return now >= max(self._open_until, self._rests_until) and not (self._openings and self._is_probed)

    def waits(self, now: float) -> float:
        """Seconds until `may_pass` can be true again, 0 if that depends on a probe's answer only."""
        return max(0.0, self._open_until - now, self._rests_until - now)

    def is_new(self, now: float) -> bool:
        """Whether nothing is remembered: such a circuit need not be kept."""
        return not (self._failures or self._openings) and not self.waits(now)

    def begin(self) -> bool:
        """Notes that an attempt goes out; True if it is the probe, which has to be told back."""
        if self._openings:
            assert not self._is_probed, "one probe at a time"
            self._is_probed = True
            return True
        return False

    def rest(self, until: float) -> None:
        """Lets nothing pass until then, without calling it a failure: it was asked for."""
        self._rests_until = max(self._rests_until, until)

    def succeeded(self, *, was_probe: bool) -> None:
        """An attempt was answered. What began before the circuit opened does not close it again."""
        if was_probe:
            self._is_probed, self._openings, self._failures = False, 0, 0
        elif not self._openings:
            self._failures = 0

    def failed(self, now: float, *, was_probe: bool) -> None:
        """An attempt failed. Many that fail together open the circuit once."""
        if was_probe:
            self._is_probed = False
            self._open(now)
        elif not self._openings:
            self._failures += 1
            if self._failures >= self._rules.failures_min:
                self._open(now)

    def unknown(self, *, was_probe: bool) -> None:
        """An attempt ended and told nothing: another one may probe."""
        if was_probe:
            self._is_probed = False

    def _open(self, now: float) -> None:
        seconds = min(self._rules.open_seconds * 2**self._openings, self._rules.open_seconds_max)
        self._openings = min(self._openings + 1, 30)
        self._open_until = now + seconds
