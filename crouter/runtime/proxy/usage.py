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

_COUNTS: Final = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    }
)
_TOOLS: Final = "server_tool_use"
_GROUPS: Final[dict[str, frozenset[str]]] = {
    "cache_creation": frozenset({"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"}),
    _TOOLS: frozenset({"web_search_requests", "web_fetch_requests"}),
}
_TEXTS: Final = frozenset({"service_tier", "speed", "inference_geo"})
# `output_tokens_details` is a decomposition of `output_tokens`; `fallback_credit` tells how the
# counts beside it came about. Neither is billed by itself.
_EXPLANATORY: Final = frozenset({"output_tokens_details", "fallback_credit"})
_OF_AN_ITERATION: Final = frozenset({"type", "model"})


# Not frozen: one is made for every answer, and a frozen one takes several times as long to make.
@dataclass(slots=True)
class UsageCounts:
    """Counts in tokens and requests; None where the upstream reported nothing. Never changed once made."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_5m_input_tokens: int | None = None
    cache_creation_1h_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    web_search_requests: int | None = None
    web_fetch_requests: int | None = None
    service_tier: str | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: "tuple[Iteration, ...]" = ()
    further: tuple[tuple[str, int], ...] = ()
    """Counts under names that nobody has a price for yet, sorted by name; dotted where nested."""

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
        "_further",
        "_iterations",
        "_numbers",
        "_output_is_placeholder",
        "_texts",
        "_unknown_keys",
    )

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._iterations: tuple[Iteration, ...] = ()
        self._output_is_placeholder = False
        self._unknown_keys: set[str] = set()
        self._further: dict[str, int] = {}
        self._anomalies: set[str] = set()

    @property
    def reported(self) -> bool:
        """Whether any count arrived; without one there is nothing to bill."""
        return bool(self._numbers)

    @property
    def output_is_placeholder(self) -> bool:
        """Whether the output count is still the one `message_start` carries before anything is generated."""
        return self._output_is_placeholder

    @property
    def unknown_keys(self) -> tuple[str, ...]:
        """Numeric usage keys nobody has a price for yet, sorted; dotted where nested."""
        return tuple(sorted(self._unknown_keys))

    @property
    def anomalies(self) -> tuple[str, ...]:
        """What was reported in a form we do not accept, sorted, by field name."""
        anomalies = set(self._anomalies)
        self._cache_creation(anomalies)
        return tuple(sorted(anomalies)) if anomalies else ()

    def note(self, anomaly: str) -> None:
        """Adds an anomaly found by the one who reads the answer."""
        self._anomalies.add(anomaly)

    def update(self, usage: object, *, at_start: bool = False) -> None:
        """Takes over the non-null values of one decoded `usage` object. Never raises.

        `at_start` marks the usage of `message_start`, whose output count is a placeholder.
        """
        if usage is None:
            return
        if not isinstance(usage, dict):
            self.note("usage")
            return
        for key, value in usage.items():
            if value is None or key in _EXPLANATORY:
                continue
            if key in _COUNTS:
                # As in `_take_count`, for what comes with every answer.
                if type(value) is int and 0 <= value <= COUNT_MAX:
                    self._numbers[key] = value
                else:
                    self.note(key)
            elif key in _GROUPS:
                self._take_group(key, value)
            elif key in _TEXTS:
                self._take_text(key, value)
            elif key == "iterations":
                self._take_iterations(value)
            else:
                self._take_unknown(key, value)
        if "output_tokens" in usage:
            self._output_is_placeholder = at_start

    def counts(self) -> UsageCounts:
        """What has been reported until now."""
        five_minutes, one_hour = self._cache_creation(set())
        numbers, texts = self._numbers, self._texts
        return UsageCounts(
            input_tokens=numbers.get("input_tokens"),
            output_tokens=numbers.get("output_tokens"),
            cache_creation_5m_input_tokens=five_minutes,
            cache_creation_1h_input_tokens=one_hour,
            cache_read_input_tokens=numbers.get("cache_read_input_tokens"),
            web_search_requests=numbers.get("server_tool_use.web_search_requests"),
            web_fetch_requests=numbers.get("server_tool_use.web_fetch_requests"),
            service_tier=texts.get("service_tier"),
            speed=texts.get("speed"),
            inference_geo=texts.get("inference_geo"),
            iterations=self._iterations,
            further=tuple(sorted(self._further.items())),
        )

    def _cache_creation(self, anomalies: set[str]) -> tuple[int | None, int | None]:
        """Cache writes by lifetime.

        The total is what counts; the split tells which part of it lives for an hour. What the split
        leaves open was written for five minutes, the default and cheaper lifetime. A split larger than
        the total is cut to it from the dearer end, so that nobody pays for more than was reported.
        """
        total = self._numbers.get("cache_creation_input_tokens")
        five_minutes = self._numbers.get("cache_creation.ephemeral_5m_input_tokens")
        one_hour = self._numbers.get("cache_creation.ephemeral_1h_input_tokens")
        if total is None:
            return five_minutes, one_hour
        if one_hour is None:
            if five_minutes is not None and five_minutes > total:
                anomalies.add("cache_creation")
            return total, None
        if (five_minutes or 0) + one_hour > total:
            anomalies.add("cache_creation")
            five_minutes = min(five_minutes or 0, total)
            return five_minutes, total - five_minutes
        return total - one_hour, one_hour

    def _take_count(self, key: str, value: object, most: int = COUNT_MAX) -> None:
        # bool is an int to Python and none to JSON.
        if type(value) is int and 0 <= value <= most:
            self._numbers[key] = value
        else:
            self.note(key)

    def _take_group(self, group: str, value: object) -> None:
        if not isinstance(value, dict):
            self.note(group)
            return
        for key, count in value.items():
            if key in _GROUPS[group]:
                if count is not None:
                    self._take_count(f"{group}.{key}", count, REQUESTS_MAX if group == _TOOLS else COUNT_MAX)
            else:
                self._take_unknown(key, count, f"{group}.")

    def _take_text(self, key: str, value: object) -> None:
        if isinstance(value, str) and _SAFE_TEXT.fullmatch(value):
            self._texts[key] = value
        else:
            self.note(key)

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
        if name not in self._unknown_keys and len(self._unknown_keys) >= COUNT_NAMES_MAX:
            self.note("unknown_keys")
            return
        self._unknown_keys.add(name)
        # What is no count has raised its alarm by name, and there is nothing of it to keep.
        if type(value) is int and 0 <= value <= COUNT_MAX:
            self._further[name] = value


def reported_model(value: object) -> str | None:
    """The model id of an answer if it has the form of one, otherwise None."""
    return value if isinstance(value, str) and _SAFE_MODEL.fullmatch(value) else None


def counts_of(usage: Mapping[str, object]) -> UsageCounts:
    """The counts of a single `usage` object."""
    meter = UsageMeter()
    meter.update(dict(usage))
    return meter.counts()
