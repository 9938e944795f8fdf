"""Chooses which of our keys a request goes upstream with: healthy ones only, the least busy first. Does no I/O.

A key that the upstream refuses rests for long; a limit rests as long as the upstream says; faults in a row open a
circuit. Limits and faults are kept for each model, because they are the upstream's for each model: one that is
overloaded must not close the way to the others.
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from crouter.runtime.proxy.circuit import Circuit, CircuitRules
from crouter.runtime.secret import Secret

KeyState = Literal["healthy", "probing", "resting", "refused"]

# Three in a row: one customer's odd request may be answered 401, too, and must not close a key for all.
REFUSALS: Final = CircuitRules(failures_min=3, open_seconds=300.0, open_seconds_max=3600.0)
FAULTS: Final = CircuitRules(failures_min=3, open_seconds=1.0, open_seconds_max=30.0)
LIMIT_SECONDS: Final = 5.0
"""For a limit that does not say when it ends."""
LIMIT_SECONDS_MAX: Final = 600.0
MODELS_MAX: Final = 256
_REFUSING_TYPES: Final = frozenset({"authentication_error", "billing_error"})


class Outcome(StrEnum):
    """What an attempt tells about its key. The values are label values of a metric."""

    ANSWERED = "answered"
    """Whatever the answer, the key and the upstream are well."""
    REFUSED = "refused"
    """The upstream does not accept the key."""
    LIMITED = "limited"
    FAULTY = "faulty"
    """An error of the upstream's, or no answer."""
    UNKNOWN = "unknown"
    """Ended before an answer told anything: the client left, for instance."""


@dataclass(frozen=True, slots=True)
class Report:
    """How an attempt went; `retry_after_seconds` is what the upstream said, with a limit."""

    outcome: Outcome
    retry_after_seconds: float | None = None


def report_answer(status: int, error_type: str | None, retry_after: str | None) -> Report:
    """What an answer's head tells. `error_type` is `error.type` of its body, if it has been read."""
    if status == 429:
        return Report(Outcome.LIMITED, _seconds(retry_after))
    # A 403 is mostly about what was asked for; only one that speaks of the key is held against the key.
    if status in (401, 402) or (status == 403 and error_type in _REFUSING_TYPES):
        return Report(Outcome.REFUSED)
    return Report(Outcome.FAULTY if status >= 500 else Outcome.ANSWERED)


class Taken:
    """A key for one attempt. To be given back, whatever becomes of it."""

    __slots__ = ("is_back", "key", "label", "model", "probes_key", "probes_model")

    def __init__(self, label: str, key: Secret[str], model: str, probes_key: bool, probes_model: bool) -> None:
        self.label = label
        self.key = key
        self.model = model
        self.probes_key = probes_key
        self.probes_model = probes_model
        self.is_back = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """No key may be used now."""

    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class KeyHealth:
    """What is shown of a key: its label, never the key."""

    label: str
    state: KeyState
    in_flight: int


class _Key:
    __slots__ = ("circuit", "in_flight", "key", "label", "models", "taken_last")

    def __init__(self, label: str, key: Secret[str]) -> None:
        self.label = label
        self.key = key
        self.in_flight = 0
        self.taken_last = 0
        self.circuit = Circuit(REFUSALS)
        self.models: dict[str, Circuit] = {}

    def comes_before(self, other: "_Key") -> bool:
        """Whether it is the less busy one, or the one taken longer ago."""
        if self.in_flight != other.in_flight:
            return self.in_flight < other.in_flight
        return self.taken_last < other.taken_last

    def may_pass(self, model: str, now: float) -> bool:
        of_model = self.models.get(model)
        return self.circuit.may_pass(now) and (of_model is None or of_model.may_pass(now))

    def waits(self, model: str, now: float) -> float:
        of_model = self.models.get(model)
        return max(self.circuit.waits(now), of_model.waits(now) if of_model else 0.0)

    def of_model(self, model: str, now: float) -> Circuit | None:
        """The model's circuit. Only what has something to remember is kept; beyond the bound nothing more is."""
        if model not in self.models and len(self.models) >= MODELS_MAX:
            self.models = {name: circuit for name, circuit in self.models.items() if not circuit.is_new(now)}
            if len(self.models) >= MODELS_MAX:
                return None
        return self.models.setdefault(model, Circuit(FAULTS))


class UpstreamKeys:
    """All keys of one upstream, labelled key_1, key_2, … in the order they were given. `clock` gives seconds."""

    def __init__(self, keys: Sequence[Secret[str]], clock: Callable[[], float]) -> None:
        assert keys, "settings refuse a service without a key"
        self._keys = {f"key_{n}": _Key(f"key_{n}", key) for n, key in enumerate(keys, start=1)}
        self._clock = clock
        self._taken = 0

    def take(self, without: Collection[str] = (), model: str = "") -> Taken | Unavailable:
        """The healthy key with the fewest requests under way, the one taken longest ago among equals.

        `without` are labels that were tried already.
        """
        now = self._clock()
        best: _Key | None = None
        for key in self._keys.values():
            if key.label in without or not key.may_pass(model, now):
                continue
            if best is None or key.comes_before(best):
                best = key
        if best is None:
            return self._unavailable(without, model, now)
        self._taken += 1
        best.taken_last = self._taken
        best.in_flight += 1
        of_model = best.models.get(model)
        return Taken(best.label, best.key, model, best.circuit.begin(), of_model is not None and of_model.begin())

    def give_back(self, taken: Taken, report: Report) -> None:
        """Ends an attempt and learns from it. Once for each key taken."""
        assert not taken.is_back, "given back once"
        taken.is_back = True
        key = self._keys[taken.label]
        key.in_flight -= 1
        assert key.in_flight >= 0
        if report.outcome is Outcome.ANSWERED and taken.model not in key.models:
            # Nearly always: nothing is remembered of the model.
            key.circuit.succeeded(was_probe=taken.probes_key)
            return
        now = self._clock()
        match report.outcome:
            case Outcome.UNKNOWN:
                key.circuit.unknown(was_probe=taken.probes_key)
            case Outcome.REFUSED:
                key.circuit.failed(now, was_probe=taken.probes_key)
            case Outcome.FAULTY:
                # A broken upstream says nothing about the key.
                key.circuit.unknown(was_probe=taken.probes_key)
            case Outcome.ANSWERED | Outcome.LIMITED:
                key.circuit.succeeded(was_probe=taken.probes_key)
        self._learn_of_model(key, taken, report, now)

    def health(self) -> Iterator[KeyHealth]:
        """The state of every key, in order; `resting` is a key that some model may not use now."""
        now = self._clock()
        for key in self._keys.values():
            yield KeyHealth(key.label, _state(key, now), key.in_flight)

    def _learn_of_model(self, key: _Key, taken: Taken, report: Report, now: float) -> None:
        known = key.models.get(taken.model)
        if known is None:
            if report.outcome not in (Outcome.FAULTY, Outcome.LIMITED):
                return
            known = key.of_model(taken.model, now)
            if known is None:
                return
        match report.outcome:
            case Outcome.FAULTY:
                known.failed(now, was_probe=taken.probes_model)
            case Outcome.LIMITED:
                known.succeeded(was_probe=taken.probes_model)
                seconds = LIMIT_SECONDS if report.retry_after_seconds is None else report.retry_after_seconds
                known.rest(now + min(seconds, LIMIT_SECONDS_MAX))
            case Outcome.ANSWERED:
                known.succeeded(was_probe=taken.probes_model)
            case _:
                known.unknown(was_probe=taken.probes_model)
        if known.is_new(now):
            key.models = {name: circuit for name, circuit in key.models.items() if circuit is not known}

    def _unavailable(self, without: Collection[str], model: str, now: float) -> Unavailable:
        untried = [key for key in self._keys.values() if key.label not in without] or list(self._keys.values())
        return Unavailable(max(1, math.ceil(min(key.waits(model, now) for key in untried))))


def _state(key: _Key, now: float) -> KeyState:
    if key.circuit.state(now) == "open":
        return "refused"
    states = {circuit.state(now) for circuit in key.models.values()}
    if "open" in states:
        return "resting"
    return "probing" if "probing" in states or key.circuit.state(now) == "probing" else "healthy"


def _seconds(retry_after: str | None) -> float | None:
    """RFC 9110 10.2.3, seconds only: a date would need a clock that both sides share."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
