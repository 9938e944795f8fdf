"""Usage as the upstream reports it: collected over the events of one answer, last non-null value per field.

Counts are cumulative in the Messages API and the four token kinds are disjoint: nothing is added up here, nothing
is estimated, nothing is clamped. None means "never reported" and is not zero. What nobody has a price for is named,
so that an alarm can say it, and its counts are kept under that name. Prices live in `crouter.runtime.pricing`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crouter.contract.measures import COUNT_MAX, COUNT_NAME, COUNT_NAMES_MAX, REQUESTS_MAX

_ITERATIONS_MAX: Final = 1_000
_FURTHER_NAME = re.compile(COUNT_NAME)
_SAFE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SAFE_TEXT = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SAFE_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}")

# Ids that have been seen to have the form.
_MODELS: Final[set[str]] = set()
_MODELS_MAX: Final = 256

_TOOLS: Final = "server_tool_use"
_SEARCHES: Final = f"{_TOOLS}.web_search_requests"
_FETCHES: Final = f"{_TOOLS}.web_fetch_requests"
_CACHE_CREATION: Final = "cache_creation"
_FIVE_MINUTES: Final = f"{_CACHE_CREATION}.ephemeral_5m_input_tokens"
_ONE_HOUR: Final = f"{_CACHE_CREATION}.ephemeral_1h_input_tokens"
# Told in nearly every answer, and safe.
_USUAL_TEXTS: Final = frozenset({"standard", "global", "not_available", "priority", "batch", "us"})
# `output_tokens_details` is a decomposition of `output_tokens`; `fallback_credit` tells how the
# counts beside it came about. Neither is billed by itself.
_EXPLANATORY: Final = frozenset({"output_tokens_details", "fallback_credit"})
_OF_AN_ITERATION: Final = frozenset({"type", "model"})


# Not frozen, and with an `__init__` of its own: one is made for every answer, several times as fast.
@dataclass(init=False, slots=True)
class UsageCounts:
    """Counts in tokens and requests; None where the upstream reported nothing. Never changed once made."""

    input_tokens: int | None
    output_tokens: int | None
    cache_creation_5m_input_tokens: int | None
    cache_creation_1h_input_tokens: int | None
    cache_read_input_tokens: int | None
    web_search_requests: int | None
    web_fetch_requests: int | None
    service_tier: str | None
    speed: str | None
    inference_geo: str | None
    iterations: "tuple[Iteration, ...]"
    further: tuple[tuple[str, int], ...]
    """Counts under names that nobody has a price for yet, sorted by name; dotted where nested."""

    def __init__(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cache_creation_5m_input_tokens: int | None = None,
        cache_creation_1h_input_tokens: int | None = None,
        cache_read_input_tokens: int | None = None,
        web_search_requests: int | None = None,
        web_fetch_requests: int | None = None,
        service_tier: str | None = None,
        speed: str | None = None,
        inference_geo: str | None = None,
        iterations: "tuple[Iteration, ...]" = (),
        further: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.cache_creation_5m_input_tokens = cache_creation_5m_input_tokens
        self.cache_creation_1h_input_tokens = cache_creation_1h_input_tokens
        self.cache_read_input_tokens = cache_read_input_tokens
        self.web_search_requests = web_search_requests
        self.web_fetch_requests = web_fetch_requests
        self.service_tier = service_tier
        self.speed = speed
        self.inference_geo = inference_geo
        self.iterations = iterations
        self.further = further

    @property
    def prompt_tokens(self) -> int:
        """The length of the prompt: everything read, from the cache or not."""
        return (
            (self.input_tokens or 0)
            + (self.cache_creation_5m_input_tokens or 0)
            + (self.cache_creation_1h_input_tokens or 0)
            + (self.cache_read_input_tokens or 0)
        )


@dataclass(frozen=True, slots=True)
class Iteration:
    """One sampling of the model within one answer, as `usage.iterations` lists it."""

    type: str
    model: str | None
    counts: UsageCounts


class UsageMeter:
    """Collects the `usage` objects of one answer."""

    __slots__ = (
        "_anomalies",
        "_cache_creation",
        "_cache_read",
        "_fetches",
        "_five_minutes",
        "_inference_geo",
        "_input",
        "_iterations",
        "_one_hour",
        "_output",
        "_output_is_placeholder",
        "_reported",
        "_searches",
        "_service_tier",
        "_speed",
        "_unknown",
    )

    def __init__(self) -> None:
        self._reported = False
        self._output_is_placeholder = False
        self._input: int | None = None
        self._output: int | None = None
        self._cache_creation: int | None = None
        self._cache_read: int | None = None
        # Parts of the cache creation.
        self._five_minutes: int | None = None
        self._one_hour: int | None = None
        self._searches: int | None = None
        self._fetches: int | None = None
        self._service_tier: str | None = None
        self._speed: str | None = None
        self._inference_geo: str | None = None
        self._iterations: tuple[Iteration, ...] = ()
        # The last count under each name that has no price, None where there was none.
        self._unknown: dict[str, int | None] = {}
        self._anomalies: tuple[str, ...] = ()

    @property
    def reported(self) -> bool:
        """Whether any count arrived; without one there is nothing to bill."""
        return self._reported

    @property
    def output_is_placeholder(self) -> bool:
        """Whether the output count is still the one `message_start` carries before anything is generated."""
        return self._output_is_placeholder

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """Numeric usage keys nobody has a price for yet, sorted; dotted where nested."""
        return tuple(sorted(self._unknown)) if self._unknown else ()

    @property
    def anomalies(self) -> tuple[str, ...]:
        """What was reported in a form we do not accept, sorted, by field name."""
        if self._cache_creation is None or (self._five_minutes or 0) + (self._one_hour or 0) <= self._cache_creation:
            return self._anomalies
        return _with(self._anomalies, _CACHE_CREATION)

    def note(self, anomaly: str) -> None:
        """Adds an anomaly found by the one who reads the answer."""
        self._anomalies = _with(self._anomalies, anomaly)

    def update(self, usage: object, *, at_start: bool = False) -> None:
        """Takes over the non-null values of one decoded `usage` object. Never raises.

        `at_start` marks the usage of `message_start`, whose output count is a placeholder.
        """
        if usage is None:
            return
        if not isinstance(usage, dict):
            self.note("usage")
            return
        given: dict[str, object] = usage
        for key, value in given.items():
            if value is None:
                continue
            if key == "input_tokens":
                self._input = self._count(key, value, self._input)
            elif key == "output_tokens":
                self._output = self._count(key, value, self._output)
            elif key == "cache_creation_input_tokens":
                self._cache_creation = self._count(key, value, self._cache_creation)
            elif key == "cache_read_input_tokens":
                self._cache_read = self._count(key, value, self._cache_read)
            else:
                self._take(key, value)
        if "output_tokens" in given:
            self._output_is_placeholder = at_start

    def counts(self) -> UsageCounts:
        """What has been reported until now."""
        five_minutes, one_hour = self._cache_writes()
        return UsageCounts(
            self._input,
            self._output,
            five_minutes,
            one_hour,
            self._cache_read,
            self._searches,
            self._fetches,
            self._service_tier,
            self._speed,
            self._inference_geo,
            self._iterations,
            _counted(self._unknown) if self._unknown else (),
        )

    def _cache_writes(self) -> tuple[int | None, int | None]:
        """Cache writes by lifetime: five minutes, one hour.

        The total is what counts; the split tells which part of it lives for an hour. What the split
        leaves open was written for five minutes, the default and cheaper lifetime. A split larger than
        the total is cut to it from the dearer end, so that nobody pays for more than was reported.
        """
        total, five_minutes, one_hour = self._cache_creation, self._five_minutes, self._one_hour
        if total is None:
            return five_minutes, one_hour
        if one_hour is None:
            return total, None
        if (five_minutes or 0) + one_hour > total:
            five_minutes = min(five_minutes or 0, total)
            return five_minutes, total - five_minutes
        return total - one_hour, one_hour

    def _count(self, name: str, value: object, before: int | None, most: int = COUNT_MAX) -> int | None:
        """The value if it is a count; otherwise what was known before, and an anomaly of this name."""
        # bool is an int to Python and none to JSON.
        if type(value) is int and 0 <= value <= most:
            self._reported = True
            return value
        self.note(name)
        return before

    def _text(self, name: str, value: object, before: str | None) -> str | None:
        if isinstance(value, str) and (value in _USUAL_TEXTS or _SAFE_TEXT.fullmatch(value)):
            return value
        self.note(name)
        return before

    def _take(self, key: str, value: object) -> None:
        """Takes what is not among the four counts, and not null."""
        if key == "service_tier":
            self._service_tier = self._text(key, value, self._service_tier)
        elif key == "inference_geo":
            self._inference_geo = self._text(key, value, self._inference_geo)
        elif key == "speed":
            self._speed = self._text(key, value, self._speed)
        elif key == _CACHE_CREATION:
            self._take_cache_creation(value)
        elif key == _TOOLS:
            self._take_tools(value)
        elif key == "iterations":
            self._take_iterations(value)
        elif key not in _EXPLANATORY:
            self._take_unknown(key, value)

    def _take_cache_creation(self, value: object) -> None:
        if not isinstance(value, dict):
            self.note(_CACHE_CREATION)
            return
        for key, count in value.items():
            if count is None:
                continue
            if key == "ephemeral_5m_input_tokens":
                self._five_minutes = self._count(_FIVE_MINUTES, count, self._five_minutes)
            elif key == "ephemeral_1h_input_tokens":
                self._one_hour = self._count(_ONE_HOUR, count, self._one_hour)
            else:
                self._take_unknown(key, count, f"{_CACHE_CREATION}.")

    def _take_tools(self, value: object) -> None:
        if not isinstance(value, dict):
            self.note(_TOOLS)
            return
        for key, count in value.items():
            if count is None:
                continue
            if key == "web_search_requests":
                self._searches = self._count(_SEARCHES, count, self._searches, REQUESTS_MAX)
            elif key == "web_fetch_requests":
                self._fetches = self._count(_FETCHES, count, self._fetches, REQUESTS_MAX)
            else:
                self._take_unknown(key, count, f"{_TOOLS}.")

    def _take_iterations(self, value: object) -> None:
        if not isinstance(value, list) or len(value) > _ITERATIONS_MAX:
            self.note("iterations")
            return
        iterations = []
        further: dict[str, int | None] = {}
        for entry in value:
            iteration = self._iteration(entry, further)
            if iteration is None:
                self.note("iterations")
                return
            iterations.append(iteration)
        self._iterations = tuple(iterations)
        for key, count in further.items():
            self._add_unknown(f"iterations.{key}", count)

    def _iteration(self, entry: object, further: dict[str, int | None]) -> Iteration | None:
        """The iteration, None if it is not well formed. Its unknown counts are added to `further`."""
        if not isinstance(entry, dict):
            return None
        kind, model = entry.get("type"), entry.get("model")
        if not isinstance(kind, str) or not _SAFE_NAME.fullmatch(kind):
            return None
        meter = UsageMeter()
        meter.update({key: value for key, value in entry.items() if key not in _OF_AN_ITERATION})
        if meter.anomalies:
            return None
        counts = meter.counts()
        for key in meter.unknown_keys:
            further.setdefault(key, None)
        for key, count in counts.further:
            further[key] = (further[key] or 0) + count
        return Iteration(kind, reported_model(model), counts)

    def _take_unknown(self, key: str, value: object, prefix: str = "") -> None:
        if isinstance(value, bool) or not isinstance(value, int | float | dict):
            return
        name = key if _SAFE_NAME.fullmatch(key) else "unnamed"
        if not isinstance(value, dict):
            self._add_unknown(prefix + name, value)
        elif not prefix:
            for inner, inner_value in value.items():
                self._take_unknown(inner, inner_value, f"{name}.")

    def _add_unknown(self, name: str, value: object) -> None:
        name = name if _FURTHER_NAME.fullmatch(name) else "unnamed"
        if name not in self._unknown and len(self._unknown) >= COUNT_NAMES_MAX:
            self.note("unknown_keys")
            return
        # What is no count has raised its alarm by name, and there is nothing of it to keep.
        if type(value) is int and 0 <= value <= COUNT_MAX:
            self._unknown[name] = value
        else:
            self._unknown.setdefault(name, None)


def _with(anomalies: tuple[str, ...], anomaly: str) -> tuple[str, ...]:
    return anomalies if anomaly in anomalies else tuple(sorted((*anomalies, anomaly)))


def _counted(unknown: Mapping[str, int | None]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, count) for name, count in unknown.items() if count is not None))


def reported_model(value: object) -> str | None:
    """The model id of an answer if it has the form of one, otherwise None."""
    if not isinstance(value, str):
        return None
    if value in _MODELS:
        return value
    if not _SAFE_MODEL.fullmatch(value):
        return None
    if len(_MODELS) < _MODELS_MAX:
        _MODELS.add(value)
    return value


def counts_of(usage: Mapping[str, object]) -> UsageCounts:
    """The counts of a single `usage` object."""
    meter = UsageMeter()
    meter.update(dict(usage))
    return meter.counts()
