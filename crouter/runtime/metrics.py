"""Counts and shows what is declared and nothing else: declared metrics, declared labels, plain words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final, Protocol, cast

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

Series = dict[tuple[str, ...], float]
"""The values of one metric, by the values of its labels in the declared order."""


class Others(Protocol):
    """What other processes of the same service count and show."""

    def read(self) -> Iterable[Mapping[str, Series]]: ...


class Counter:
    """One series of one counter. It begins to exist when something is added."""

    __slots__ = ("_counts", "_values")

    def __init__(self, counts: dict[tuple[str, ...], int], values: tuple[str, ...]) -> None:
        self._counts = counts
        self._values = values

    def add(self) -> None:
        """Adds one."""
        counts, values = self._counts, self._values
        counts[values] = counts.get(values, 0) + 1


class Metrics:
    """The declared metrics, in a registry of their own, as a collector by its methods: none of a library can appear
    beside them.

    With `others` an exposition tells the sum over all processes.
    """

    def __init__(self, declared: Iterable[Metric], others: Others | None = None) -> None:
        self._declared = {metric.name: metric for metric in declared}
        self._counts: dict[str, dict[tuple[str, ...], int]] = {
            name: {} for name, metric in self._declared.items() if metric.kind == "counter"
        }
        self._gauges: dict[str, Callable[[], Shown]] = {}
        self._others = others
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(cast(Collector, self))

    def count(self, name: str, **labels: str) -> None:
        """Adds one. A metric that the policy does not declare is not counted; undeclared labels are left out."""
        self.counter(name, **labels).add()

    def counter(self, name: str, **labels: str) -> "Counter":
        """What adds to one series: for those who count the same thing often."""
        counts = self._counts.get(name)
        if counts is None:
            return Counter({}, ())
        values = tuple(_label(labels.get(label, "")) for label in self._declared[name].labels)
        # Some labels name what the upstream sent: whatever it sends, memory and the exposition stay bounded.
        if values not in counts and len(counts) >= SERIES_MAX:
            values = (OTHER,) * len(values)
        return Counter(counts, values)

    def show(self, name: str, read: Callable[[], Shown]) -> None:
        """Shows what `read` gives at every exposition: a state that changes with time is never an old one.

        A metric that the policy does not declare is not shown; undeclared labels are left out.
        """
        declared = self._declared.get(name)
        if declared is not None and declared.kind == "gauge":
            self._gauges[name] = read

    def counters(self) -> dict[str, Series]:
        """What this process has counted; a counter without labels is there from the start."""
        return {
            name: {**({} if self._declared[name].labels else {(): 0}), **counts}
            for name, counts in self._counts.items()
        }

    def gauges(self) -> dict[str, Series]:
        """What this process shows now."""
        found: dict[str, Series] = {}
        for name, read in self._gauges.items():
            labels = self._declared[name].labels
            found[name] = {
                tuple(_label(given.get(label, "")) for label in labels): value
                for given, value in islice(read(), SERIES_MAX)
            }
        return found

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """All metrics, for the registry."""
        told = {**self.counters(), **self.gauges()}
        for other in self._others.read() if self._others is not None else ():
            for name, series in other.items():
                mine = told.setdefault(name, {})
                for values, number in series.items():
                    mine[values] = mine.get(values, 0) + number
        for name, metric in self._declared.items():
            # A gauge that nobody shows yet says nothing.
            if metric.kind == "gauge" and name not in told:
                continue
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = kind(name, metric.help, labels=metric.labels)
            for values, number in told.get(name, {}).items():
                family.add_metric(values, number)
            yield family

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return prometheus_client.generate_latest(self._registry)


def _label(value: str) -> str:
    return value if is_word(value) else OTHER
