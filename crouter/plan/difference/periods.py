"""Which of two periods is longer, where months are calendar months and have no fixed number of days."""

from datetime import date
from functools import cache
from typing import Literal

from crouter.policy.types import Duration

Verdict = Literal["same", "shorter", "longer", "either"]
"""`either`: longer or shorter, depending on the day on which the period begins."""

_DAY_SECONDS = 86_400
# The Gregorian calendar repeats itself after 400 years.
_CYCLE_MONTHS = 400 * 12


def compare_periods(before: Duration, after: Duration) -> Verdict:
    """How long `after` is beside `before`, for every day on which both could begin.

    P1Y is the same as P12M. P365D is shorter than P12M, because some years have a day more and none has one less.
    P30D and P1M are `either`.
    """
    fewest, most = _days_between(before.months, after.months)
    rest = (after.days - before.days) * _DAY_SECONDS + after.seconds - before.seconds
    least, greatest = fewest * _DAY_SECONDS + rest, most * _DAY_SECONDS + rest
    if least == greatest == 0:
        return "same"
    if least >= 0:
        return "longer"
    return "shorter" if greatest <= 0 else "either"


def may_be_longer(before: Duration, after: Duration) -> bool:
    """Whether `after` is longer for some day on which both could begin. In doubt a promise counts as weaker."""
    return compare_periods(before, after) in ("longer", "either")


def _days_between(before: int, after: int) -> tuple[int, int]:
    """The fewest and the most days by which `after` months are longer than `before` months."""
    fewest, most = _days_of(abs(after - before))
    return (fewest, most) if after >= before else (-most, -fewest)


@cache
def _days_of(months: int) -> tuple[int, int]:
    """The fewest and the most days that so many calendar months in a row can have."""
    # Two cycles hold every run of months that begins in the first one: the language ends at a hundred years.
    firsts = [date(2000 + month // 12, month % 12 + 1, 1).toordinal() for month in range(_CYCLE_MONTHS + months + 1)]
    spans = [firsts[start + months] - firsts[start] for start in range(_CYCLE_MONTHS)]
    return min(spans), max(spans)
