"""Counts and shows what is declared and nothing else: declared metrics, declared labels, plain words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from crouter.contract.observation import Metric
from crouter.runtime.words import is_word

METRICS_CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
SERIES_MAX: Final = 500
OTHER: Final = "other"


Shown = Iterable[tuple[Mapping[str, str], float]]
"""The values of a gauge, each with its labels."""


class Metrics(Collector):
    """The declared metrics, in a registry of their own: none of a library can appear beside them."""

    def __init__(self, declared: Iterable[Metric]) -> None:
        declared = tuple(declared)
        self._declared = {metric.name: metric for metric in declared if metric.kind != "gauge"}
        self._gauges = {metric.name: metric for metric in declared if metric.kind == "gauge"}
        self._counts: dict[str, dict[tuple[str, ...], int]] = {name: {} for name in self._declared}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def count(self, name: str, **labels: str) -> None:
        """Adds one. A metric that the policy does not declare is not counted; undeclared labels are left out."""
        counts = self._counts.get(name)
        if counts is None:
            return
        given = tuple(labels.values())
        # Only series of plain words exist, and their values stand in the declared order.
        if given in counts and tuple(labels) == self._declared[name].labels:
            counts[given] += 1
            return
        values = tuple(_label(labels.get(label, "")) for label in self._declared[name].labels)
        # Some labels name what the upstream sent: whatever it sends, memory and the exposition stay bounded.
        if values not in counts and len(counts) >= SERIES_MAX:
            values = (OTHER,) * len(values)
        counts[values] = counts.get(values, 0) + 1

    def show(self, name: str, read: Callable[[], Shown]) -> None:
        """Shows what `read` gives at every exposition: a state that changes with time is never an old one.

        A metric that the policy does not declare is not shown; undeclared labels are left out.
        """
        declared = self._gauges.get(name)
        if declared is not None:
            self._registry.register(_Gauge(declared, read))

    def collect(self) -> Iterator[CounterMetricFamily]:
        """The counters, for the registry."""
        for name, metric in self._declared.items():
            family = CounterMetricFamily(name, metric.help, labels=metric.labels)
            # A counter without labels is there from the start.
            counts = self._counts[name] if metric.labels else {(): self._counts[name].get((), 0)}
            for values, count in counts.items():
                family.add_metric(values, count)
            yield family

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return prometheus_client.generate_latest(self._registry)


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
