"""Explains what two sides count on different sides of midnight: one has more on a day, and less on the one beside it.

Only what really cancels is explained, and only as much as happened close enough to midnight to be counted on either
side. Values only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from crouter.runtime.reconciliation.figure import Figure, within

DAY = timedelta(days=1)

Near = Mapping[tuple[date, str, str], int]
"""By day, subject and measure: how much of ours happened within reach of that day's first midnight, on either side."""


def across_midnight(figures: Sequence[Figure], near: Near) -> tuple[Figure, ...]:
    """The same figures, with what moved between two days that follow one another as a cause on both of them."""
    found = {(figure.day, figure.subject, figure.measure): figure for figure in figures}
    for key in sorted(found):
        day, subject, measure = key
        before, after = found[key], found.get((day + DAY, subject, measure))
        if after is None or before.unexplained * after.unexplained >= 0:
            continue
        reach = near.get((day + DAY, subject, measure), 0)
        moved = min(abs(before.unexplained), abs(after.unexplained), reach)
        sign = 1 if before.unexplained > 0 else -1
        found[key] = _caused(before, sign * moved)
        found[(day + DAY, subject, measure)] = _caused(after, -sign * moved)
    return tuple(found[figure.day, figure.subject, figure.measure] for figure in figures)


def _caused(figure: Figure, amount: int) -> Figure:
    explained = within(figure.unexplained, amount)
    if explained == 0:
        return figure
    return replace(figure, causes={**figure.causes, "clock_edge": figure.causes.get("clock_edge", 0) + explained})
