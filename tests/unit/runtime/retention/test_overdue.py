"""The alarm: what should be gone and is not, asked of the data."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from crouter.runtime.retention import Overdue, RetentionOptions, find_overdue, run_retention
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR_AGO = datetime(2025, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def overdue(database: TestDatabase, declared: Declared, as_of: datetime = AS_OF) -> list[Overdue]:
    return find_overdue(database.dsn, declared.deployment, RetentionOptions(as_of=as_of, allow_future=True))


def test_rows_are_overdue_once_a_run_and_its_greatest_lag_have_passed(
    database: TestDatabase, declared: Declared
) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), YEAR_AGO - 2 * HOUR + timedelta(seconds=1))
    assert overdue(database, declared) == []
    database.usage(account, database.api_key(account), YEAR_AGO - 2 * HOUR)
    database.entry(account, "charge", -1, YEAR_AGO - 2 * HOUR)
    assert overdue(database, declared) == [Overdue("usage", "ledger", "rows", 1), Overdue("usage", "usage", "rows", 1)]


@pytest.mark.claim("retain-deleted")
def test_an_owner_is_overdue_when_the_promised_time_has_passed(database: TestDatabase, declared: Declared) -> None:
    database.account(deletion_requested_at=AS_OF - timedelta(days=30) + timedelta(microseconds=1))
    assert overdue(database, declared) == []
    database.account(deletion_requested_at=AS_OF - timedelta(days=30))
    assert overdue(database, declared) == [Overdue("deletion", "account", "owners", 1)]
    run_retention(database.dsn, declared.deployment, RetentionOptions(rule="deletion", as_of=AS_OF))
    assert overdue(database, declared) == []


def test_a_row_without_a_time_is_told_since_nothing_ends_it(database: TestDatabase, declared: Declared) -> None:
    run_retention(database.dsn, declared.deployment, RetentionOptions(rule="deletion"))
    database.execute("ALTER TABLE retention_run DROP CONSTRAINT IF EXISTS retention_run_started_at_required")
    database.execute("UPDATE retention_run SET started_at = NULL")
    assert overdue(database, declared) == [Overdue("evidence", "retention_run", "no_time", 1)]


def test_a_partitioned_table_takes_no_row_without_a_time(database: TestDatabase) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), AS_OF)
    with pytest.raises(psycopg.errors.NotNullViolation):
        database.execute("UPDATE usage SET occurred_at = NULL")


def test_a_rule_that_stopped_running_is_told(database: TestDatabase, declared: Declared) -> None:
    run_retention(database.dsn, declared.deployment, RetentionOptions())
    now = database.value("SELECT now()")
    assert overdue(database, declared, now) == []
    retained = declared.deployment.retention
    schedules = [(rule.name, rule.schedule.every, rule.schedule.lag_max) for rule in retained.expire]
    schedules += [(rule.name, rule.schedule.every, rule.schedule.lag_max) for rule in retained.erase]
    late = [
        name
        for name, every, lag in schedules
        if not (every.months or every.days or lag.months or lag.days)
        and timedelta(seconds=every.seconds + lag.seconds) < 3 * HOUR
    ]
    assert {"usage", "batch"} <= set(late) < {name for name, _, _ in schedules}
    assert overdue(database, declared, now + 3 * HOUR) == [
        Overdue(name, "retention_run", "not_run", 0) for name in late
    ]


def test_looking_changes_nothing(database: TestDatabase, declared: Declared) -> None:
    account = database.account(deletion_requested_at=YEAR_AGO)
    database.usage(account, database.api_key(account), YEAR_AGO - 3 * HOUR)
    before = database.tables()
    assert overdue(database, declared)
    assert database.tables() == before
