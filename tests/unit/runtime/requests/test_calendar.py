"""By when a request is answered: ends of months, leap days, the last day, and summer time, which moves nothing."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from crouter.contract.retention import Period
from crouter.runtime.requests.calendar import EXTENSION_MONTHS, after, due_after, last_day, months_later, warnings_due

DAYS = Period("P30D", months=0, days=30, seconds=0)
MONTH = Period("P1M", months=1, days=0, seconds=0)


@pytest.mark.claim("right-deadline", by="request_register")
@pytest.mark.parametrize(
    ("received", "deadline", "last"),
    [
        ("2026-01-31T10:00", DAYS, "2026-03-02"),
        ("2028-01-31T10:00", DAYS, "2028-03-01"),
        ("2026-01-31T23:59", MONTH, "2026-02-28"),
        ("2028-01-31T00:00", MONTH, "2028-02-29"),
        ("2026-02-28T12:00", MONTH, "2026-03-28"),
        ("2028-02-29T12:00", Period("P1Y", 12, 0, 0), "2029-02-28"),
        ("2026-12-31T12:00", MONTH, "2027-01-31"),
        # Around summer time in Europe: days of UTC are all alike.
        ("2026-03-28T23:30", DAYS, "2026-04-27"),
        ("2026-10-24T23:30", DAYS, "2026-11-23"),
    ],
)
def test_right_deadline__the_last_day_is_counted_by_the_calendar_and_to_its_end(
    received: str, deadline: Period, last: str
) -> None:
    due = due_after(datetime.fromisoformat(received).replace(tzinfo=UTC), deadline)
    assert last_day(due) == date.fromisoformat(last)
    assert due == datetime.fromisoformat(last).replace(tzinfo=UTC) + timedelta(days=1)


def test_a_request_from_another_time_zone_is_counted_in_utc() -> None:
    received = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert last_day(due_after(received, MONTH)) == date(2026, 3, 28)


def test_a_deadline_of_hours_ends_with_them() -> None:
    received = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    assert due_after(received, Period("PT36H", 0, 0, 36 * 3600)) == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def test_an_extension_is_two_months_after_the_first_deadline() -> None:
    received = datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert last_day(due_after(received, MONTH, EXTENSION_MONTHS)) == date(2027, 2, 28)


def test_warnings_come_a_week_before_a_day_before_and_when_it_is_late() -> None:
    due = due_after(datetime(2026, 1, 1, tzinfo=UTC), DAYS)
    second = timedelta(seconds=1)
    told = [
        warnings_due(due, due - timedelta(days=days) + late) for days in (7, 1, 0) for late in (-second, 0 * second)
    ]
    assert told == [0, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("month", range(1, 13))
def test_months_later_never_leaves_the_month_it_leads_to(month: int) -> None:
    for months in range(1, 40):
        assert (months_later(date(2027, month, 28), months).month - month - months) % 12 == 0


def test_after_keeps_the_time_of_the_day() -> None:
    moment = datetime(2028, 1, 31, 13, 14, 15, 16, tzinfo=UTC)
    assert after(moment, Period("P1M1DT1S", 1, 1, 1)) == datetime(2028, 3, 1, 13, 14, 16, 16, tzinfo=UTC)
