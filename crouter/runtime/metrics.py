"""Counts and shows what is declared and nothing else: declared metrics, declared labels, plain words."""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from crouter.contract.observation import Metric
from crouter.runtime.words import is_word

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
SERIES_MAX: Final = 500
OTHER: Final = "other"
_WHEN_MADE: Final = re.compile(r"(# (HELP|TYPE) )?\w+_created[ {]")


Shown = Iterable[tuple[Mapping[str, str], float]]
"""The values of a gauge, each with its labels."""


class Metrics:
    """The declared metrics, in a registry of their own: none of a library can appear beside them."""

    def __init__(self, declared: Iterable[Metric]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._labels: dict[str, tuple[str, ...]] = {}
        self._counters: dict[str, Counter] = {}
        self._series: dict[str, set[tuple[str, ...]]] = {}
        self._gauges: dict[str, Metric] = {}
        for metric in declared:
            if metric.kind == "gauge":
                self._gauges[metric.name] = metric
            else:
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

    def show(self, name: str, read: Callable[[], Shown]) -> None:
        """Shows what `read` gives at every exposition: a state that changes with time is never an old one.

        A metric that the policy does not declare is not shown; undeclared labels are left out.
        """
        declared = self._gauges.get(name)
        if declared is not None:
            self._registry.register(_Gauge(declared, read))

    def _bounded(self, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
        # Some labels name what the upstream sent: whatever it sends, memory and the exposition stay bounded.
        series = self._series.setdefault(name, set())
        if values in series or len(series) < SERIES_MAX:
            series.add(values)
            return values
        return (OTHER,) * len(values)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        lines = prometheus_client.generate_latest(self._registry).decode().splitlines(keepends=True)
        # The moment a counter was made is none of the declared metrics.
        return "".join(line for line in lines if not _WHEN_MADE.match(line)).encode()


class _Gauge(Collector):
    """One declared gauge, read when it is asked for."""

    def __init__(self, declared: Metric, read: Callable[[], Shown]) -> None:
        self._declared = declared
        self._read = read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        declared = self._declared
        family = GaugeMetricFamily(declared.name, declared.help, labels=declared.labels)
        for labels, value in islice(self._read(), SERIES_MAX):
            family.add_metric([_label(labels.get(label, "")) for label in declared.labels], value)
        yield family


def _label(value: str) -> str:
    return value if is_word(value) else OTHER
