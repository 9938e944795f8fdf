"""When a row has reached its age: decided by PostgreSQL, compared with a model in Python."""

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from crouter.contract.retention import Period
from crouter.embedded import RunningCluster
from crouter.runtime.retention.cutoff import Cutoff, earlier, interval
from crouter.runtime.retention.session import Session

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

MICROSECOND = timedelta(microseconds=1)
YEAR = Period("P12M", 12, 0, 0)
MONTH = Period("P1M", 1, 0, 0)
THIRTY_DAYS = Period("P30D", 0, 30, 0)
HOUR = Period("PT1H", 0, 0, 3600)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def after(time: datetime, period: Period) -> datetime:
    """The model: calendar months, the last day where a month is too short, then days, then seconds."""
    month = time.year * 12 + time.month - 1 + period.months
    year, month = divmod(month, 12)
    day = min(time.day, calendar.monthrange(year, month + 1)[1])
    shifted = time.replace(year=year, month=month + 1, day=day)
    return shifted + timedelta(days=period.days, seconds=period.seconds)


@pytest.fixture(scope="session")
def session(postgres: RunningCluster) -> Iterator[Session]:
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        yield connection


def reached(session: Session, time: datetime, keep: Period, as_of: datetime) -> bool:
    condition = Cutoff.compute(session, keep, as_of).reached(sql.Literal(time))
    row = session.execute(sql.SQL("SELECT {}").format(condition)).fetchone()
    assert row is not None
    return bool(row[0])


# The time of a row, how long it is kept, and the first moment at which it goes.
TABLE = [
    pytest.param("2025-03-10T12:00:00Z", YEAR, "2026-03-10T12:00:00Z", id="an ordinary day"),
    pytest.param("2024-02-29T10:00:00Z", YEAR, "2025-02-28T10:00:00Z", id="a leap day, a year later"),
    pytest.param("2023-02-28T23:00:00Z", YEAR, "2024-02-28T23:00:00Z", id="the day before a leap day, a year later"),
    pytest.param("2023-03-01T00:00:00Z", YEAR, "2024-03-01T00:00:00Z", id="the day after a leap day"),
    pytest.param("2024-02-29T10:00:00Z", Period("P4Y", 48, 0, 0), "2028-02-29T10:00:00Z", id="leap day to leap day"),
    pytest.param("2025-01-31T06:00:00Z", MONTH, "2025-02-28T06:00:00Z", id="a long month into a short one"),
    pytest.param("2025-01-30T23:00:00Z", MONTH, "2025-02-28T23:00:00Z", id="an earlier day that ends later"),
    pytest.param("2025-02-28T23:59:59Z", MONTH, "2025-03-28T23:59:59Z", id="a short month into a long one"),
    pytest.param("2025-12-31T23:59:59.999999Z", MONTH, "2026-01-31T23:59:59.999999Z", id="the last microsecond"),
    pytest.param("2025-12-31T20:00:00-05:00", MONTH, "2026-02-01T01:00:00Z", id="the next month already, in UTC"),
    pytest.param("2026-03-29T01:30:00+01:00", THIRTY_DAYS, "2026-04-28T00:30:00Z", id="over a change of summer time"),
    pytest.param("2026-03-29T00:30:00Z", HOUR, "2026-03-29T01:30:00Z", id="an hour"),
    pytest.param("2025-01-30T12:00:00Z", Period("P1M2D", 1, 2, 0), "2025-03-02T12:00:00Z", id="months, then days"),
]


@pytest.mark.claim("retain-usage")
@pytest.mark.parametrize(("time", "keep", "end"), TABLE)
def test_a_row_goes_at_its_age_and_not_a_microsecond_before(
    session: Session, time: str, keep: Period, end: str
) -> None:
    assert after(moment(time), keep) == moment(end)
    assert reached(session, moment(time), keep, moment(end))
    assert not reached(session, moment(time), keep, moment(end) - MICROSECOND)


@pytest.mark.parametrize("hours", [14, -11])
def test_the_zone_that_a_moment_is_written_in_does_not_matter(session: Session, hours: int) -> None:
    as_of = moment("2026-03-01T12:00:00Z")
    elsewhere = as_of.astimezone(timezone(timedelta(hours=hours)))
    assert Cutoff.compute(session, MONTH, elsewhere).bound == Cutoff.compute(session, MONTH, as_of).bound


periods = st.builds(
    lambda months, days, hours: Period("", months, days, 3600 * hours),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(0, 30),
).filter(lambda period: bool(period.months or period.days or period.seconds))
moments = st.datetimes(datetime(2022, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
# What can go wrong goes wrong near the ends of months.
near_ends = st.builds(
    lambda year, month, days, seconds: datetime(year, month, 1, tzinfo=UTC) + timedelta(days=days, seconds=seconds),
    st.integers(2023, 2028),
    st.integers(1, 12),
    st.integers(-4, 2),
    st.integers(0, 86399),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(as_of=moments | near_ends, keep=periods, shift=st.timedeltas(timedelta(days=-6), timedelta(days=6)))
def test_the_condition_agrees_with_the_model(session: Session, as_of: datetime, keep: Period, shift: timedelta) -> None:
    time = earlier(as_of, keep) + shift
    assert reached(session, time, keep, as_of) == (after(time, keep) <= as_of)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(as_of=moments | near_ends, keep=periods)
def test_the_bound_is_the_greatest_time_of_age(session: Session, as_of: datetime, keep: Period) -> None:
    bound = Cutoff.compute(session, keep, as_of).bound
    assert after(bound, keep) <= as_of
    # Midnights and the moments around them are where a later time could be of age again.
    later = [bound + MICROSECOND] + [
        (bound + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0) for days in range(1, 40)
    ]
    assert [time for time in later if after(time, keep) <= as_of] == []


def test_an_interval_keeps_months_days_and_seconds_apart(session: Session) -> None:
    row = session.execute(sql.SQL("SELECT {}::text").format(interval(Period("", 1, 30, 86400)))).fetchone()
    assert row == ("1 mon 30 days 24:00:00",)


def test_what_is_late_is_late_for_certain() -> None:
    as_of = moment("2026-03-01T00:00:00Z")
    assert earlier(as_of, MONTH, HOUR) == as_of - timedelta(days=31, hours=1)
