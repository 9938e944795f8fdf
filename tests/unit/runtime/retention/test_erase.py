"""What is left of an owner who asked for deletion."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from crouter.contract.retention import Hold, Period
from crouter.runtime.retention import RetentionOptions, RunResult, run_retention
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def erase(database: TestDatabase, declared: Declared, as_of: datetime = AS_OF, batch_rows: int = 10_000) -> RunResult:
    options = RetentionOptions(rule="deletion", as_of=as_of, allow_future=True, batch_rows=batch_rows)
    (result,) = run_retention(database.dsn, declared.deployment, options)
    return result


def person(database: TestDatabase, requested: datetime | None, canary: str = "canary") -> uuid.UUID:
    account = database.account(deletion_requested_at=requested, email=f"{canary}@example.org", name=f"Name {canary}")
    key = database.api_key(account)
    database.usage(account, key, *([AS_OF - timedelta(days=1)] * 5))
    database.entry(account, "charge", -5, AS_OF)
    database.entry(account, "grant", 5, AS_OF)
    return account


@pytest.mark.claim("right-erasure")
@pytest.mark.claim("retain-deleted")
def test_retain_deleted__nothing_of_an_erased_person_is_found_in_any_table(
    database: TestDatabase, declared: Declared
) -> None:
    account = person(database, AS_OF - WEEK)
    person(database, None, canary="planted")
    assert database.holding("canary") == ["crouter.account"]
    result = erase(database, declared, batch_rows=2)
    assert (result.outcome, result.removed, result.expected) == ("complete", 9, 9)
    assert database.holding("canary") == []
    assert database.holding(str(account)) == []
    assert database.holding("planted") == ["crouter.account"], "the search finds what is there"
    assert database.count("usage") == 5


@pytest.mark.claim("right-erasure")
@pytest.mark.claim("retain-deleted")
def test_a_deletion_can_be_taken_back_until_its_grace_is_over(database: TestDatabase, declared: Declared) -> None:
    person(database, AS_OF - WEEK + timedelta(microseconds=1))
    before = database.count("usage"), database.count("ledger"), database.holding("canary")
    assert erase(database, declared).removed == 0
    assert (database.count("usage"), database.count("ledger"), database.holding("canary")) == before


@pytest.mark.claim("retain-deleted")
def test_what_the_law_requires_stays_without_the_person_and_goes_when_the_hold_ends(
    database: TestDatabase, declared: Declared
) -> None:
    account = person(database, AS_OF - WEEK)
    database.entry(account, "top_up", 100, datetime(2020, 2, 29, 10, tzinfo=UTC))
    database.entry(account, "refund", -1, AS_OF)
    result = erase(database, declared)
    assert (result.outcome, result.removed, result.expected) == ("complete", 8, 8)
    assert database.holding("canary") == []
    assert database.execute("SELECT email, name, erased_at FROM account") == [(None, None, AS_OF)]
    assert database.execute("SELECT kind FROM ledger ORDER BY kind") == [("refund",), ("top_up",)]
    assert erase(database, declared, datetime(2030, 2, 28, 9, 59, 59, tzinfo=UTC)).removed == 0
    assert erase(database, declared, datetime(2030, 2, 28, 10, tzinfo=UTC)).removed == 1
    assert database.execute("SELECT erased_at FROM account") == [(AS_OF,)]
    assert erase(database, declared, datetime(2036, 11, 1, 12, tzinfo=UTC)).removed == 2
    assert database.count("account") == database.count("ledger") == 0


def test_erasing_twice_is_erasing_once_and_late_rows_go_too(database: TestDatabase, declared: Declared) -> None:
    account = person(database, AS_OF - WEEK)
    database.entry(account, "top_up", 1, AS_OF)
    erase(database, declared)
    before = {name: rows for name, rows in database.tables().items() if not name.endswith(".retention_run")}
    assert erase(database, declared, AS_OF + timedelta(hours=1)).removed == 0
    after = {name: rows for name, rows in database.tables().items() if not name.endswith(".retention_run")}
    assert after == before
    database.entry(account, "charge", -1, AS_OF)
    assert erase(database, declared, AS_OF + timedelta(hours=2)).removed == 1


def test_a_key_that_held_rows_refer_to_stays_and_the_run_says_so(database: TestDatabase, declared: Declared) -> None:
    rule = declared.deployment.retention.erase[0]
    hold = Hold("usage", None, (), "occurred_at", Period("P1Y", 12, 0, 0), "a law")
    plan = replace(declared.deployment.retention, erase=(replace(rule, holds=(hold,)),))
    held = replace(declared, deployment=replace(declared.deployment, retention=plan))
    person(database, AS_OF - WEEK)
    result = erase(database, held)
    assert (result.outcome, result.error) == ("failed", "rows_in_use")
    assert (database.count("api_key"), database.count("usage"), database.count("ledger")) == (1, 5, 0)
    assert erase(database, held, AS_OF + timedelta(days=400)).outcome == "complete"
    assert database.count("account") == 0


def test_an_owner_that_the_law_requires_to_keep_keeps_its_data(database: TestDatabase, declared: Declared) -> None:
    rule = declared.deployment.retention.erase[0]
    hold = Hold("account", None, (), "created_at", Period("P1Y", 12, 0, 0), "a law")
    plan = replace(declared.deployment.retention, erase=(replace(rule, holds=(hold,)),))
    held = replace(declared, deployment=replace(declared.deployment, retention=plan))
    person(database, AS_OF - WEEK)
    database.execute("UPDATE account SET created_at = %s", AS_OF - timedelta(days=300))
    assert erase(database, held).outcome == "complete"
    assert database.holding("canary") == ["crouter.account"]
    assert database.count("usage") == 0
    erase(database, held, AS_OF + timedelta(days=66))
    assert database.count("account") == 0


def test_an_owner_under_change_is_left_for_the_next_run(database: TestDatabase, declared: Declared) -> None:
    account = person(database, AS_OF - WEEK)
    with psycopg.connect(database.dsn) as other:
        other.execute("UPDATE crouter.account SET deletion_requested_at = NULL WHERE id = %s", (account,))
        result = erase(database, declared)
        other.commit()
    assert (result.outcome, result.error, result.removed) == ("failed", "rows_in_use", 0)
    assert erase(database, declared).outcome == "complete"
    assert database.count("usage") == 5, "the deletion was taken back"


def test_many_accounts_at_once_are_refused_as_implausible(database: TestDatabase, declared: Declared) -> None:
    for number in range(10):
        person(database, AS_OF - WEEK if number < 3 else None, canary=f"c{number}")
    options = RetentionOptions(rule="deletion", as_of=AS_OF, rows_always_allowed=2)
    (result,) = run_retention(database.dsn, declared.deployment, options)
    assert (result.outcome, result.share_percent) == ("refused", 30.0)
    assert database.count("account") == 10
