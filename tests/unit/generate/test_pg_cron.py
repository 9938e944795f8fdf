"""The jobs of pg_cron do what the worker does, on the same rows. pg_cron itself is not needed to carry them out."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from crouter.contract.retention import Period
from crouter.embedded import RunningCluster
from crouter.generate.templates import Templates
from crouter.generate.views.pg_cron import render, schedule_of
from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.runtime.database.migrations import migrate
from crouter.runtime.retention import RetentionOptions, run_retention
from crouter.runtime.retention.run import rules_of
from crouter.runtime.retention.schedule import cron
from crouter.runtime.retention.session import open_session, rule_lock
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
# What pg_cron has: the test sees what would be scheduled, and calls it itself.
STAND_IN = """
CREATE SCHEMA cron;
CREATE TABLE cron.job (name text PRIMARY KEY, schedule text, command text);
CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO cron.job VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET schedule = excluded.schedule, command = excluded.command; SELECT 1::bigint $$"""


def written(declared: Declared) -> str:
    policy = load_file(declared.folder / "policy.yaml").policy
    assert policy is not None
    return render(make_plan(policy), Templates())["retention/pg_cron.sql"]


def install(database: TestDatabase, declared: Declared) -> None:
    database.execute(STAND_IN)
    for _ in range(2):
        database.execute(written(declared))


def call(database: TestDatabase, rule: str) -> None:
    (command,) = database.execute("SELECT command FROM cron.job WHERE name = %s", f"crouter {rule}")
    database.execute(command[0])


def plant(database: TestDatabase, now: datetime) -> None:
    """Rows on both sides of every end, with the same times in every database."""
    year = timedelta(days=366)
    for days in (1, 2, 3):
        database.execute("SELECT partition_make('usage', '1 day', %s)", now - year - days * DAY)
    for n, requested in enumerate((None, now - 8 * DAY, now - 6 * DAY, now - 40 * DAY)):
        account = database.account(deletion_requested_at=requested, email=f"{n}@example.org", name=str(n))
        key = database.api_key(account)
        database.usage(account, key, *(now - year - d * DAY for d in (-5, -2, 0, 1, 2, 3, 50)), now)
        database.entry(account, "charge", -7 - n, now - year - DAY, times=5)
        database.entry(account, "charge", -1000, now)
        database.entry(account, "carried", -50, now - 2 * year)
        if n < 3:
            database.entry(account, "top_up", 10**6 + n, now - 9 * DAY)
        database.entry(account, "refund", 3, now - 11 * year)


def left(database: TestDatabase) -> dict[str, list[tuple[object, ...]]]:
    return {
        "account": database.execute("SELECT email, name, erased_at IS NULL FROM account ORDER BY 1, 2"),
        "usage": database.execute(
            "SELECT a.name, u.occurred_at FROM usage AS u JOIN account AS a ON a.id = account_id ORDER BY 1, 2"
        ),
        "keys": database.execute("SELECT count(*) FROM api_key"),
        "ledger": database.execute(
            "SELECT kind, amount_nanousd, CASE WHEN kind <> 'carried' THEN occurred_at END FROM ledger ORDER BY 1, 2, 3"
        ),
        "partitions": database.execute("SELECT part FROM partition_list('usage') ORDER BY 1"),
        "runs": database.execute("SELECT rule, outcome, removed FROM retention_run ORDER BY 1"),
    }


@pytest.mark.claim("retain-usage")
@pytest.mark.claim("retain-deleted")
@pytest.mark.parametrize("version", ["postgres", "postgres_15"])
def test_retain_usage__pg_cron_leaves_what_the_worker_leaves(
    request: pytest.FixtureRequest, declared: Declared, version: str
) -> None:
    server: RunningCluster = request.getfixturevalue(version)
    by_worker, by_cron = (TestDatabase(server.ensure_database(f"purges_by_{who}")) for who in ("worker", "cron"))
    now = datetime.now(UTC)
    for database in (by_worker, by_cron):
        migrate(database.dsn, declared.migrations, declared.origin, plain_postgres=True)
        plant(database, now)
    install(by_cron, declared)
    retention = declared.deployment.retention
    names = [*(rule.name for rule in retention.expire), *(rule.name for rule in retention.erase)]
    for rule in names:
        options = RetentionOptions(rule=rule)
        (result,) = run_retention(by_worker.dsn, declared.deployment, options)
        assert result.outcome == "complete"
        call(by_cron, rule)
    assert left(by_cron) == left(by_worker)
    assert left(by_cron)["account"] == [("0@example.org", "0", True), ("2@example.org", "2", True), (None, None, False)]
    for rule in names:
        call(by_cron, rule)
    assert by_cron.execute("SELECT DISTINCT outcome FROM retention_run") == [("complete",)]


def test_every_rule_is_scheduled_at_least_as_often_as_declared(database: TestDatabase, declared: Declared) -> None:
    install(database, declared)
    jobs = database.execute("SELECT name, schedule, command FROM cron.job ORDER BY name")
    assert sorted(jobs) == sorted(
        (f"crouter {rule.name}", cron(rule.schedule.every), f'CALL "crouter_cron"."{rule.name}"()')
        for rule in rules_of(declared.deployment, None)
    )
    assert ("crouter usage", "0 * * * *", 'CALL "crouter_cron"."usage"()') in jobs
    assert ("crouter consent", "0 3 * * *", 'CALL "crouter_cron"."consent"()') in jobs
    for period in (Period("PT1H", 0, 0, 3600), Period("P1D", 0, 1, 0)):
        assert schedule_of(period) == cron(period)
    assert schedule_of(Period("PT30M", 0, 0, 1800)) == "* * * * *"


def test_a_rule_that_the_worker_carries_out_is_left_to_it(database: TestDatabase, declared: Declared) -> None:
    install(database, declared)
    with (
        open_session(database.dsn, declared.deployment.database_schema) as session,
        rule_lock(session, declared.deployment.database_schema, "usage") as held,
    ):
        assert held
        call(database, "usage")
    assert database.count("retention_run") == 0
    call(database, "usage")
    assert database.count("retention_run") == 1


def test_an_implausible_share_is_refused_here_too(database: TestDatabase, declared: Declared) -> None:
    install(database, declared)
    account = database.account()
    database.usage(account, database.api_key(account), *[datetime.now(UTC) - 400 * DAY] * 1001)
    with pytest.raises(psycopg.errors.RaiseException, match="implausible share"):
        call(database, "usage")
    assert database.count("usage") == 1001
    assert database.execute("SELECT outcome FROM retention_run") == [("refused",)]
    database.execute("CALL crouter_cron.usage(share_percent_max => 100)")
    assert database.count("usage") == 0


def test_a_moment_in_the_future_is_not_taken(database: TestDatabase, declared: Declared) -> None:
    install(database, declared)
    account = database.account()
    database.usage(account, database.api_key(account), datetime.now(UTC))
    database.execute("CALL crouter_cron.usage(as_of => now() + interval '10 years')")
    assert database.count("usage") == 1


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "crouter_service"])
def test_nobody_else_may_call_a_job(database: TestDatabase, declared: Declared, role: str) -> None:
    install(database, declared)
    with psycopg.connect(database.dsn) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CALL crouter_cron.usage()")
