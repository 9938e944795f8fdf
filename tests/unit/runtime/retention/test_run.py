"""What a run removes and what it leaves, on a real database with the schema of policy.yaml."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from crouter.embedded import RunningCluster
from crouter.runtime.database.errors import DatabaseAwayError
from crouter.runtime.database.migrations import migrate
from crouter.runtime.retention import Progress, RetentionOptions, RetentionRefusedError, RunResult, run_retention
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
YEAR_AGO = datetime(2025, 11, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def run(
    database: TestDatabase, declared: Declared, options: RetentionOptions | None = None, rule: str = "usage"
) -> RunResult:
    options = replace(options or RetentionOptions(), rule=rule, as_of=(options and options.as_of) or AS_OF)
    (result,) = run_retention(database.dsn, declared.deployment, options)
    return result


def names(declared: Declared) -> list[str]:
    """Every rule of policy.yaml, in the order in which they run."""
    retained = declared.deployment.retention
    return [*(rule.name for rule in retained.expire), *(rule.name for rule in retained.erase)]


@pytest.mark.claim("retain-usage")
def test_retain_usage__the_row_12_months_old_is_gone_and_the_one_a_second_younger_is_there(
    database: TestDatabase, declared: Declared
) -> None:
    account = database.account()
    key = database.api_key(account)
    database.usage(account, key, YEAR_AGO - SECOND, YEAR_AGO, YEAR_AGO + SECOND, AS_OF)
    result = run(database, declared)
    assert (result.outcome, result.removed, result.expected) == ("complete", 2, 2)
    left = database.execute("SELECT occurred_at FROM usage ORDER BY occurred_at")
    assert left == [(YEAR_AGO + SECOND,), (AS_OF,)]


@pytest.mark.claim("retain-account")
def test_retain_account__no_rule_touches_an_active_account(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    database.api_key(account)
    database.entry(account, "top_up", 5, datetime(2001, 1, 1, tzinfo=UTC))
    before = {name: rows for name, rows in database.tables().items() if not name.endswith(".retention_run")}
    options = RetentionOptions(as_of=AS_OF + timedelta(days=36500), allow_future=True)
    run_retention(database.dsn, declared.deployment, options)
    after = {name: rows for name, rows in database.tables().items() if not name.endswith(".retention_run")}
    assert after == before


def test_charges_of_the_age_are_summed_and_the_balance_stays_to_the_unit(
    database: TestDatabase, declared: Declared
) -> None:
    first, second = database.account(), database.account()
    for account, price in ((first, 3), (second, 1_000_000_007)):
        database.entry(account, "top_up", 10**15, YEAR_AGO - timedelta(days=400))
        database.entry(account, "charge", -price, YEAR_AGO - timedelta(days=1), times=137)
        database.entry(account, "charge", -price, YEAR_AGO + SECOND)
    before = database.balance(first), database.balance(second)
    result = run(database, declared, RetentionOptions(batch_rows=10))
    assert result.outcome == "complete"
    assert result.removed == 274
    assert (database.balance(first), database.balance(second)) == before
    kinds = "SELECT kind, count(*), sum(amount_nanousd) FROM ledger WHERE account_id = %s GROUP BY 1 ORDER BY 1"
    assert database.execute(kinds, first) == [("carried", 1, -411), ("charge", 1, -3), ("top_up", 1, 10**15)]


def test_what_was_carried_is_taken_into_the_next_sum_and_never_lost(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    for days in range(20):
        database.entry(account, "charge", -(2**days), YEAR_AGO + timedelta(days=days))
    for days in range(25):
        run(database, declared, RetentionOptions(as_of=AS_OF + timedelta(days=days), allow_future=True))
        assert database.balance(account) == 1 - 2**20
    assert database.execute("SELECT kind, count(*) FROM ledger GROUP BY kind") == [("carried", 1)]


def test_a_sum_at_the_edge_of_what_fits_fails_and_changes_nothing(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    for _ in range(2):
        database.entry(account, "charge", -(2**63 - 1), YEAR_AGO)
    result = run(database, declared)
    assert (result.outcome, result.error) == ("failed", "sqlstate_22003")
    assert database.execute("SELECT kind, count(*) FROM ledger GROUP BY kind") == [("charge", 2)]


def test_a_run_goes_in_batches_and_tells_how_far_it_is(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    key = database.api_key(account)
    database.usage(account, key, *(YEAR_AGO - timedelta(minutes=n) for n in range(25)))
    told: list[Progress] = []
    options = RetentionOptions(rule="usage", as_of=AS_OF, batch_rows=10)
    run_retention(database.dsn, declared.deployment, options, told.append)
    assert [(item.record, item.removed, item.expected) for item in told] == [
        ("usage", 10, 25),
        ("usage", 20, 25),
        ("usage", 25, 25),
    ]


def test_a_dry_run_counts_what_a_run_removes_and_writes_nothing(database: TestDatabase, declared: Declared) -> None:
    account = database.account(deletion_requested_at=AS_OF - timedelta(days=8))
    key = database.api_key(account)
    database.usage(account, key, YEAR_AGO, AS_OF)
    database.entry(account, "charge", -1, YEAR_AGO)
    before = database.tables()
    options = RetentionOptions(as_of=AS_OF)
    planned = run_retention(database.dsn, declared.deployment, replace(options, dry_run=True))
    assert database.tables() == before
    assert {result.outcome for result in planned} == {"dry_run"}
    for result in planned:
        expected = result.expected
        (done,) = run_retention(database.dsn, declared.deployment, replace(options, rule=result.rule, dry_run=True))
        (done,) = run_retention(database.dsn, declared.deployment, replace(options, rule=result.rule))
        assert done.outcome == "complete"
        if result.rule == "usage":
            assert (expected, done.removed) == (2, 2)


def test_an_implausible_share_is_refused_and_nothing_goes(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    key = database.api_key(account)
    database.usage(account, key, *([YEAR_AGO] * 30), *([AS_OF] * 70))
    options = RetentionOptions(rows_always_allowed=10)
    result = run(database, declared, options)
    assert (result.outcome, result.error, result.share_percent) == ("refused", "implausible_share", 30.0)
    assert "--allow-share 31" in result.sentence
    assert database.count("usage") == 100
    assert database.execute("SELECT outcome, removed FROM retention_run") == [("refused", 0)]
    assert run(database, declared, replace(options, share_percent_max=31)).removed == 30


@pytest.mark.parametrize(("old", "young", "outcome"), [(20, 80, "complete"), (21, 79, "refused"), (10, 0, "complete")])
def test_a_share_is_implausible_above_both_bounds_only(
    database: TestDatabase, declared: Declared, old: int, young: int, outcome: str
) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), *([YEAR_AGO] * old), *([AS_OF] * young))
    assert run(database, declared, RetentionOptions(rows_always_allowed=10)).outcome == outcome


def test_a_thousand_rows_may_always_go(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    key = database.api_key(account)
    database.usage(account, key, *([YEAR_AGO] * 1001))
    assert run(database, declared).outcome == "refused"
    database.execute("DELETE FROM usage WHERE id = (SELECT id FROM usage LIMIT 1)")
    assert run(database, declared).removed == 1000


@pytest.mark.parametrize(
    ("as_of", "reason"),
    [(datetime(2999, 1, 1, tzinfo=UTC), "future"), (datetime(2026, 1, 1), "time zone")],
)
def test_a_moment_that_makes_no_sense_is_refused(
    database: TestDatabase, declared: Declared, as_of: datetime, reason: str
) -> None:
    with pytest.raises(RetentionRefusedError, match=reason):
        run_retention(database.dsn, declared.deployment, RetentionOptions(as_of=as_of))
    assert database.count("retention_run") == 0


def test_an_unknown_rule_is_refused_with_the_names_there_are(database: TestDatabase, declared: Declared) -> None:
    with pytest.raises(RetentionRefusedError, match=f"there are {', '.join(names(declared))}$"):
        run_retention(database.dsn, declared.deployment, RetentionOptions(rule="nothing"))


def test_the_clock_is_the_databases(database: TestDatabase, declared: Declared) -> None:
    now = database.value("SELECT now()")
    for result in run_retention(database.dsn, declared.deployment, RetentionOptions()):
        assert now <= result.as_of <= now + timedelta(seconds=30)


def test_evidence_of_a_run_says_what_was_done_and_nothing_about_anybody(
    database: TestDatabase, declared: Declared
) -> None:
    account = database.account(email="canary@example.org", name="Canary")
    key = database.api_key(account)
    database.usage(account, key, YEAR_AGO)
    run(database, declared)
    ((_, rule, as_of, started, finished, removed, outcome, digest),) = database.execute(
        "SELECT id, rule, as_of, started_at, finished_at, removed, outcome, policy_digest FROM retention_run"
    )
    assert (rule, as_of, removed, outcome) == ("usage", AS_OF, 1, "complete")
    assert started <= finished
    assert digest == declared.deployment.policy_digest
    (text,) = database.tables()["crouter.retention_run"]
    for personal in ("canary", "Canary", str(account), str(key)):
        assert personal not in text


def test_a_run_spares_its_own_evidence(database: TestDatabase, declared: Declared) -> None:
    options = RetentionOptions(as_of=AS_OF + timedelta(days=4000), allow_future=True)
    run(database, declared)
    run(database, declared, options, rule="evidence")
    assert database.execute("SELECT rule, removed, outcome FROM retention_run") == [("evidence", 1, "complete")]


def test_two_runs_at_once__the_second_skips_and_says_so(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), *(YEAR_AGO - timedelta(minutes=n) for n in range(20)))
    second: list[RunResult] = []

    def start_another(progress: Progress) -> None:
        if not second:
            thread = threading.Thread(target=lambda: second.append(run(database, declared)))
            thread.start()
            thread.join()

    options = RetentionOptions(rule="usage", as_of=AS_OF, batch_rows=5)
    (first,) = run_retention(database.dsn, declared.deployment, options, start_another)
    assert (first.outcome, first.removed) == ("complete", 20)
    assert [(result.outcome, result.removed) for result in second] == [("skipped", 0)]
    assert database.execute("SELECT outcome FROM retention_run") == [("complete",)]


def test_rows_that_somebody_holds_are_left_for_the_next_run(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), YEAR_AGO, YEAR_AGO)
    with psycopg.connect(database.dsn) as other:
        other.execute("SELECT FROM crouter.usage LIMIT 1 FOR UPDATE")
        result = run(database, declared)
    assert (result.outcome, result.error, result.removed) == ("failed", "rows_in_use", 1)
    assert run(database, declared).outcome == "complete"
    assert database.count("usage") == 0


def test_a_run_that_is_asked_to_stop_ends_after_its_batch(database: TestDatabase, declared: Declared) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), *([YEAR_AGO] * 20))
    result = run(database, declared, RetentionOptions(batch_rows=5, stopped=lambda: True))
    assert (result.outcome, result.error, result.removed) == ("failed", "stopped", 5)
    assert database.execute("SELECT outcome, removed FROM retention_run") == [("failed", 5)]
    assert run(database, declared).removed == 15


def test_a_rule_that_fails_does_not_stop_the_others(database: TestDatabase, declared: Declared) -> None:
    database.execute("REVOKE DELETE ON usage FROM crouter_retention")
    account = database.account()
    database.usage(account, database.api_key(account), YEAR_AGO)
    results = run_retention(database.dsn, declared.deployment, RetentionOptions(as_of=AS_OF))
    assert [result.rule for result in results] == names(declared)
    assert [result.outcome for result in results] == ["failed", *["complete"] * (len(results) - 1)]
    assert results[0].error == "sqlstate_42501"


def test_a_database_that_is_away_is_an_error_without_its_address(declared: Declared) -> None:
    with pytest.raises(DatabaseAwayError) as caught:
        run_retention("postgresql://nobody:secret@127.0.0.1:1/none", declared.deployment, RetentionOptions())
    assert "secret" not in str(caught.value)


def test_a_fold_into_entries_that_need_more_is_refused_before_anything_goes(
    database: TestDatabase, declared: Declared
) -> None:
    ledger = declared.deployment.record("ledger")
    strict = replace(ledger, fields=tuple(replace(field, required=True) for field in ledger.fields))
    records = tuple(strict if record.name == "ledger" else record for record in declared.deployment.records)
    account = database.account()
    database.usage(account, database.api_key(account), YEAR_AGO)
    options = RetentionOptions(rule="usage", as_of=AS_OF)
    (result,) = run_retention(database.dsn, replace(declared.deployment, records=records), options)
    assert (result.outcome, result.error) == ("refused", "impossible")
    assert "price_version" in result.sentence
    assert database.count("usage") == 1


def test_postgresql_15_carries_every_rule_out(postgres_15: RunningCluster, declared: Declared) -> None:
    database = TestDatabase(postgres_15.ensure_database("fifteen_retention"))
    migrate(database.dsn, declared.migrations, declared.origin, plain_postgres=True)
    kept, leaving = database.account(), database.account(deletion_requested_at=AS_OF - timedelta(days=8))
    for account in (kept, leaving):
        database.usage(account, database.api_key(account), YEAR_AGO, YEAR_AGO + SECOND)
        database.entry(account, "charge", -7, YEAR_AGO, times=3)
        database.entry(account, "top_up", 100, YEAR_AGO)
    results = run_retention(database.dsn, declared.deployment, RetentionOptions(as_of=AS_OF))
    assert [result.rule for result in results] == names(declared)
    assert {result.outcome for result in results} == {"complete"}
    assert {result.rule: result.removed for result in results if result.removed} == {"usage": 8, "deletion": 3}
    assert (database.balance(kept), database.balance(leaving)) == (79, 100)
