"""Counts what is declared and nothing else: only declared metrics, only declared labels, only plain words."""

import re
from collections.abc import Iterable
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from crouter.contract.observation import Metric
from crouter.runtime.words import is_word

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
SERIES_MAX: Final = 500
OTHER: Final = "other"
_WHEN_MADE: Final = re.compile(r"(# (HELP|TYPE) )?\w+_created[ {]")


class Metrics:
    """The declared counters, in a registry of their own: no metric of a library can appear beside them."""

    def __init__(self, declared: Iterable[Metric]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._labels: dict[str, tuple[str, ...]] = {}
        self._counters: dict[str, Counter] = {}
        self._series: dict[str, set[tuple[str, ...]]] = {}
        for metric in declared:
            self._labels[metric.name] = metric.labels
            self._counters[metric.name] = Counter(metric.name, metric.help, metric.labels, registry=self._registry)

    def count(self, name: str, **labels: str) -> None:
        """Adds one. A metric that the policy does not declare is not counted; undeclared labels are left out."""
        declared = self._labels.get(name)
        if declared is None:
            return
        counter = self._counters[name]
        if declared:
            counter = counter.labels(*self._bounded(name, tuple(_label(labels.get(label, "")) for label in declared)))
        counter.inc()

    def _bounded(self, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
        # Some labels name what the upstream sent: whatever it sends, memory and the exposition stay bounded.
        series = self._series.setdefault(name, set())
        if values in series or len(series) < SERIES_MAX:
            series.add(values)
            return values
        return (OTHER,) * len(values)

    def exposition(self) -> bytes:
        """All counters in Prometheus' text format."""
        lines = prometheus_client.generate_latest(self._registry).decode().splitlines(keepends=True)
        # The moment a counter was made is none of the declared metrics.
        return "".join(line for line in lines if not _WHEN_MADE.match(line)).encode()


def _label(value: str) -> str:
    return value if is_word(value) else OTHER
