"""Periods are compared by the calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.plan.difference.periods import compare_periods, may_be_longer
from crouter.policy.types import Duration


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ("P12M", "P1Y", "same"),
        ("P2W", "P14D", "same"),
        ("P1D", "PT24H", "same"),
        ("P365D", "P12M", "longer"),
        ("P12M", "P365D", "shorter"),
        ("P12M", "P366D", "longer"),
        ("P30D", "P1M", "either"),
        ("P1M", "P30D", "either"),
        ("P1M", "P31D", "longer"),
        ("P28D", "P1M", "longer"),
        ("P1M", "P1M1D", "longer"),
        ("P1M1D", "P1M", "shorter"),
        ("P4Y", "P1461D", "longer"),
        ("P100Y", "P1200M", "same"),
        ("P18M", "P12M", "shorter"),
    ],
)
def test_two_periods(before: str, after: str, verdict: str) -> None:
    assert compare_periods(Duration.parse(before), Duration.parse(after)) == verdict


def test_in_doubt_a_period_may_be_longer() -> None:
    assert may_be_longer(Duration.parse("P30D"), Duration.parse("P1M"))
    assert may_be_longer(Duration.parse("P1M"), Duration.parse("P30D"))


def end(start: date, months: int, days: int) -> date:
    month = start.month - 1 + months
    return date(start.year + month // 12, month % 12 + 1, 1) + timedelta(days=days)


@given(
    st.tuples(st.integers(0, 30), st.integers(0, 400)).filter(any),
    st.tuples(st.integers(0, 30), st.integers(0, 400)).filter(any),
    st.integers(1900, 2100),
    st.integers(1, 12),
)
def test_the_verdict_holds_for_every_month_in_which_both_begin(
    before: tuple[int, int], after: tuple[int, int], year: int, month: int
) -> None:
    old, new = (Duration.parse("P" + f"{m}M" * bool(m) + f"{d}D" * bool(d)) for m, d in (before, after))
    start = date(year, month, 1)
    first, second = end(start, *before), end(start, *after)
    verdict = compare_periods(old, new)
    if verdict == "same":
        assert first == second
    elif verdict == "shorter":
        assert second <= first
    elif verdict == "longer":
        assert second >= first
