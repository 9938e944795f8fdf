"""Declares what may be logged and counted."""

from dataclasses import dataclass
from typing import Literal

LogFieldKind = Literal["timestamp", "word", "number", "request_id"]


@dataclass(frozen=True, slots=True)
class LogField:
    """One field of a log line. No kind can carry free text: a `word` is `[A-Za-z0-9_.:/{}-]`, 1 to 80 long."""

    name: str
    kind: LogFieldKind


@dataclass(frozen=True, slots=True)
class LogStream:
    """One log and the only fields its lines may have."""

    name: str
    fields: tuple[LogField, ...]


MetricKind = Literal["counter", "gauge"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One counter (`crouter_..._total`) or gauge, and the only labels it may have."""

    name: str
    help: str
    labels: tuple[str, ...]
    kind: MetricKind = "counter"
