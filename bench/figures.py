"""Medians, percentiles and spread of repeated measurements. No I/O."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repeated:
    """One quantity, measured at least once. The unit is the caller's."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        return min(self.values)

    @property
    def most(self) -> float:
        return max(self.values)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of one or more values in order, 0 < percent <= 100."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]
