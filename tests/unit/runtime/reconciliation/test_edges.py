"""Only what really cancels across midnight is explained, and never more than happened close to it."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.reconciliation.edges import across_midnight
from crouter.runtime.reconciliation.figure import Figure, within

DAY = date(2026, 11, 20)
COUNTS = st.integers(0, 9)


def days(*pairs: tuple[int, int]) -> tuple[Figure, ...]:
    return tuple(
        Figure("upstream", DAY + timedelta(days=number), "m", "t", ours, theirs)
        for number, (ours, theirs) in enumerate(pairs)
    )


def near(*amounts: int) -> dict[tuple[date, str, str], int]:
    return {(DAY + timedelta(days=number), "m", "t"): amount for number, amount in enumerate(amounts)}


def test_what_cancels_is_explained_on_both_days() -> None:
    first, second = across_midnight(days((10, 7), (5, 8)), near(0, 3))
    assert (first.causes, second.causes) == ({"clock_edge": -3}, {"clock_edge": 3})
    assert (first.state, second.state) == ("explained", "explained")


def test_far_from_midnight_nothing_is_explained() -> None:
    found = across_midnight(days((10, 7), (5, 8)), near(9, 0))
    assert [figure.unexplained for figure in found] == [-3, 3]


def test_days_that_do_not_follow_one_another_have_nothing_to_do_with_each_other() -> None:
    found = across_midnight(days((10, 7), (4, 4), (5, 8)), near(9, 9, 9))
    assert [figure.unexplained for figure in found] == [-3, 0, 3]


@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS), min_size=1, max_size=6))
def test_whatever_is_explained_the_sum_of_what_is_not_stays_the_same(told: list[tuple[int, int, int]]) -> None:
    before = days(*((ours, theirs) for ours, theirs, _ in told))
    after = across_midnight(before, near(*(reach for _, _, reach in told)))
    assert sum(one.unexplained for one in after) == sum(one.difference for one in before)
    assert all(abs(new.unexplained) <= abs(old.unexplained) for new, old in zip(after, before, strict=True))


def test_a_cause_explains_in_one_direction_only() -> None:
    assert [within(5, 3), within(5, 9), within(5, -3), within(-5, -3), within(-5, 3), within(0, 3)] == [
        3,
        5,
        0,
        -3,
        0,
        0,
    ]
