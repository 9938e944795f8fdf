"""What a query asks to see; whatever it holds, there is an answer."""

import uuid
from datetime import UTC, date, datetime
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.dashboard.filters import DAYS_MAX, Cursor, UsageFilter, last_days, read_filter

TODAY = date(2026, 11, 23)


def test_nothing_asks_for_the_last_thirty_days() -> None:
    asked = read_filter("", TODAY)
    assert (asked.filter, asked.cursor, asked.problems) == (last_days(TODAY), None, ())
    assert (asked.filter.first, asked.filter.last) == (date(2026, 10, 25), TODAY)


def test_days_are_whole_and_both_included() -> None:
    asked = read_filter("from=2026-02-28&to=2026-03-01", TODAY).filter
    assert (asked.since, asked.until) == (datetime(2026, 2, 28, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


def test_a_last_day_alone_has_thirty_days_before_it() -> None:
    asked = read_filter("to=2026-03-01", TODAY)
    assert (asked.filter.first, asked.problems) == (date(2026, 1, 31), ())


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("from=2026-02-30", "from"),
        ("from=20260230", "from"),
        ("from=0001-01-01", "from"),
        ("to=9999-12-31", "to"),
        ("from=2026-03-02&to=2026-03-01", "to"),
        ("from=2020-01-01&to=2026-03-01", "from"),
        ("key=mine", "key"),
        ("model=" + "x" * 201, "model"),
        ("after=20260101T000000.000000Z", "after"),
        ("after=20261301T000000.000000Z_" + "0" * 36, "after"),
        ("&".join("a=1" for _ in range(51)), "from"),
    ],
)
def test_what_cannot_be_read_is_told_and_replaced(query: str, problem: str) -> None:
    asked = read_filter(query, TODAY)
    assert [name for name, _ in asked.problems] == [problem]
    assert asked.filter.first <= asked.filter.last
    assert (asked.filter.last - asked.filter.first).days < DAYS_MAX


FILTERS = st.builds(
    lambda last, back, model, key: UsageFilter(date.fromordinal(last.toordinal() - back), last, model, key),
    st.dates(date(2001, 6, 1), date(2099, 1, 1)),
    st.integers(0, DAYS_MAX - 1),
    st.text(max_size=50),
    st.none() | st.uuids(),
)
CURSORS = st.builds(
    Cursor, st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)), st.uuids()
)


@given(FILTERS, st.none() | CURSORS)
def test_a_filter_survives_the_way_through_its_query(asked: UsageFilter, cursor: Cursor | None) -> None:
    read = read_filter(asked.query(cursor), TODAY)
    assert (read.filter, read.cursor, read.problems) == (asked, cursor, ())


@given(st.text())
def test_any_query_gives_a_filter(query: str) -> None:
    asked = read_filter(query, TODAY)
    assert parse_qs(asked.filter.query())["to"] == [asked.filter.last.isoformat()]


def test_a_cursor_in_another_zone_names_the_same_moment() -> None:
    moment = datetime.fromisoformat("2026-01-01T01:00:00+01:00")
    assert str(Cursor(moment, uuid.UUID(int=1))).startswith("20260101T000000.000000Z_")
