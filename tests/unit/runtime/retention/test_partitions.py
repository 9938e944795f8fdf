"""Partitions on a real database: made ahead, dropped when all of them is past, and never a way around the rules."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Period
from crouter.runtime.retention import Overdue, Progress, RetentionOptions, find_overdue, run_retention
from crouter.runtime.retention.cutoff import Cutoff
from crouter.runtime.retention.partitions import Partitions, partitioned_by, partitions_of, patiently
from crouter.runtime.retention.session import Session, open_session
from tests.unit.runtime.retention.databases import Declared, TestDatabase
from tests.unit.runtime.retention.partitioned import AS_OF, DAY, YEAR_AGO, make, run

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

SECOND = timedelta(seconds=1)


def names(database: TestDatabase) -> list[str]:
    return [row[0] for row in database.execute("SELECT part FROM partition_list('usage') ORDER BY 1")]


def of_usage(deployment: Deployment) -> Partitions:
    (rule,) = (rule for rule in deployment.retention.expire if rule.name == "usage")
    (partitions,) = partitions_of(deployment, rule)
    return partitions


def with_width(deployment: Deployment, width: Period | None, keep: Period | None = None) -> Deployment:
    plan = deployment.retention
    rules = tuple(
        replace(rule, partitions=width, keep=keep or rule.keep) if rule.name == "usage" else rule
        for rule in plan.expire
    )
    return replace(deployment, retention=replace(plan, expire=rules))


@pytest.fixture
def session(database: TestDatabase, declared: Declared) -> Iterator[Session]:
    with open_session(database.dsn, declared.deployment.database_schema) as connection:
        yield connection


def test_the_policy_says_what_is_partitioned(declared: Declared) -> None:
    assert partitioned_by(declared.deployment) == {"usage": "occurred_at"}
    assert of_usage(declared.deployment).width.text == "P1D"
    assert partitioned_by(with_width(declared.deployment, None)) == {}


# What goes


@pytest.mark.claim("retain-usage")
def test_retain_usage__past_partitions_are_dropped_and_the_boundary_holds_to_the_second(
    database: TestDatabase, declared: Declared
) -> None:
    days = [YEAR_AGO + n * DAY for n in (-3, -2, -1, 0, 1)]
    make(database, *days)
    account = database.account()
    key = database.api_key(account)
    database.usage(account, key, *days, YEAR_AGO - SECOND, YEAR_AGO + SECOND, AS_OF)
    told: list[Progress] = []
    options = RetentionOptions(rule="usage", as_of=AS_OF, share_percent_max=100)
    (result,) = run_retention(database.dsn, declared.deployment, options, told.append)
    assert (result.outcome, result.removed, result.expected) == ("complete", 5, 5)
    left = database.execute("SELECT occurred_at FROM usage ORDER BY 1")
    assert left == [(YEAR_AGO + SECOND,), (YEAR_AGO + DAY,), (AS_OF,)]
    assert names(database)[:2] == ["usage__p20251101", "usage__p20251102"]
    assert [item.removed for item in told] == [1, 2, 3, 5], "three partitions and one batch"
    assert database.value("SELECT removed FROM retention_run") == 5


def test_a_partition_goes_when_its_last_microsecond_is_of_age_and_not_before(
    database: TestDatabase, declared: Declared
) -> None:
    make(database, YEAR_AGO)
    end = datetime(2026, 11, 2, tzinfo=UTC)
    account = database.account()
    last = datetime(2025, 11, 2, tzinfo=UTC) - timedelta(microseconds=1)
    database.usage(account, database.api_key(account), last)
    assert run(database, declared.deployment, end - timedelta(microseconds=2)).removed == 0
    assert "usage__p20251101" in names(database)
    assert run(database, declared.deployment, end - timedelta(microseconds=1)).removed == 1
    assert "usage__p20251101" not in names(database)


PERIODS = (Period("P1M", 1, 0, 0), Period("P12M", 12, 0, 0), Period("P30D", 0, 30, 0), Period("P1MT5H", 1, 0, 18_000))
WIDTHS = (("P1D", 0, 1, 0), ("P7D", 0, 7, 0), ("PT6H", 0, 0, 21_600), ("P1M", 1, 0, 0), ("P3M", 3, 0, 0))


@pytest.mark.claim("retain-usage")
def test_retain_usage__no_due_partition_has_room_for_a_row_that_is_younger(
    database: TestDatabase, declared: Declared, session: Session
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    dice = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    for _ in range(40):
        keep, width = dice.choice(PERIODS), Period(*dice.choice(WIDTHS))
        month = dice.choice([datetime(2024, 3, 1), datetime(2025, 3, 1), datetime(2024, 2, 1), datetime(2023, 12, 1)])
        moment = month.replace(tzinfo=UTC) - timedelta(hours=dice.randrange(80))
        partitions = of_usage(with_width(declared.deployment, width))
        span = sql.SQL("make_interval(months => {}, days => {}, secs => {})").format(
            width.months, width.days, width.seconds
        )
        database.execute(sql.SQL("SELECT partition_make('usage', {}, {})").format(span, moment))
        (made,) = partitions.known(session)
        as_of = made.ends + timedelta(days=dice.randrange(27, 34), hours=dice.randrange(24))
        cutoff = Cutoff.compute(session, keep, as_of)
        inside = sql.SQL(
            "SELECT bool_and({}) FROM generate_series({}, {} - interval '1 microsecond', interval '6 hours') AS at"
        )
        inside_reached = session.execute(inside.format(cutoff.reached(sql.SQL("at")), made.starts, made.ends))
        row = inside_reached.fetchone()
        assert row is not None
        last = session.execute(
            sql.SQL("SELECT {}").format(cutoff.reached(sql.Literal(made.ends - timedelta(microseconds=1))))
        ).fetchone()
        assert last is not None
        assert bool(partitions.due(session, cutoff)) == (row[0] and last[0]), (keep, width, made, as_of)
        database.execute("SELECT partition_drop('usage', %s)", made.name)


def test_the_same_run_again_does_nothing_and_a_clock_that_goes_back_brings_nothing(
    database: TestDatabase, declared: Declared
) -> None:
    make(database, *(YEAR_AGO + n * DAY for n in (-2, -1, 0)))
    account = database.account()
    database.usage(account, database.api_key(account), YEAR_AGO - DAY, YEAR_AGO + SECOND)
    assert run(database, declared.deployment).removed == 1
    assert [run(database, declared.deployment, AS_OF - n * DAY).removed for n in (0, 3, 400)] == [0, 0, 0]
    assert database.count("usage") == 1


def test_a_table_that_is_in_use_all_the_time_loses_its_rows_one_by_one(
    database: TestDatabase, declared: Declared
) -> None:
    make(database, YEAR_AGO - DAY)
    account = database.account()
    key = database.api_key(account)
    database.usage(account, key, YEAR_AGO - DAY, AS_OF)
    with psycopg.connect(database.dsn) as reader:
        reader.execute("SELECT count(*) FROM crouter.usage")
        running = threading.Thread(target=run, args=(database, declared.deployment))
        running.start()
        # Requests go on meanwhile: none of them waits longer than an attempt at the drop does.
        while running.is_alive():
            database.usage(account, key, AS_OF)
        running.join()
    assert database.value("SELECT count(*) FROM usage WHERE occurred_at < %s", YEAR_AGO) == 0
    assert "usage__p20251031" in names(database), "empty; the next run drops it"
    assert run(database, declared.deployment).outcome == "complete"
    assert "usage__p20251031" not in names(database)


@pytest.mark.claim("retain-usage")
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_retain_usage__a_run_whose_connection_ends_at_any_step_is_finished_by_the_next(
    database: TestDatabase, declared: Declared, steps: int
) -> None:
    days = [YEAR_AGO - n * DAY for n in (1, 2, 3)]
    make(database, *days)
    account = database.account()
    database.usage(account, database.api_key(account), *days * 2, YEAR_AGO, YEAR_AGO, AS_OF)
    told: list[Progress] = []

    def end_connection(progress: Progress) -> None:
        told.append(progress)
        if len(told) == steps:
            database.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'crouter retention' AND datname = current_database()"
            )

    options = RetentionOptions(rule="usage", as_of=AS_OF)
    (ended,) = run_retention(database.dsn, declared.deployment, options, end_connection)
    assert ended.outcome == "failed"
    assert database.value("SELECT removed FROM retention_run") == ended.removed == 9 - database.count("usage")
    assert run(database, declared.deployment).outcome == "complete"
    assert database.execute("SELECT occurred_at FROM usage") == [(AS_OF,)]
    assert database.value("SELECT sum(removed) FROM retention_run") == 8
    runs = database.execute("SELECT outcome FROM retention_run ORDER BY started_at")
    assert runs == [("failed",), ("complete",)]


def test_somebody_else_keeps_an_action_from_being_done_for_a_bounded_time_only(
    database: TestDatabase, session: Session
) -> None:
    with psycopg.connect(database.dsn) as other:
        other.execute("LOCK TABLE crouter.usage IN ACCESS SHARE MODE")
        assert patiently(session, lambda: session.execute("LOCK TABLE usage IN EXCLUSIVE MODE"), (0.0,)) is not None
        other.execute("LOCK TABLE crouter.usage IN ROW EXCLUSIVE MODE")
        assert patiently(session, lambda: session.execute("LOCK TABLE usage IN EXCLUSIVE MODE"), (0.0, 0.0)) is None
    assert session.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_a_year_in_partitions_is_weighed_without_counting_every_row(
    database: TestDatabase, declared: Declared, session: Session
) -> None:
    make(database, *(YEAR_AGO + n * DAY for n in (-2, -1, 0, 1)))
    account = database.account()
    database.usage(account, database.api_key(account), *[YEAR_AGO - DAY] * 30, *[YEAR_AGO + DAY] * 70)
    database.execute("ANALYZE usage")
    partitions = of_usage(declared.deployment)
    assert partitions.sizes(session, Cutoff.compute(session, PERIODS[1], AS_OF)) == (30, 100)


def test_a_partition_that_was_detached_by_hand_is_told_and_goes_when_it_is_past(
    database: TestDatabase, declared: Declared
) -> None:
    make(database, YEAR_AGO - DAY)
    account = database.account()
    database.usage(account, database.api_key(account), YEAR_AGO - DAY, AS_OF)
    database.execute("ALTER TABLE usage DETACH PARTITION usage__p20251031")
    options = RetentionOptions(rule="usage", as_of=AS_OF)
    assert Overdue("usage", "usage", "detached", 1) in find_overdue(database.dsn, declared.deployment, options)
    assert run(database, declared.deployment).removed == 1
    assert database.value("SELECT to_regclass('crouter.usage__p20251031')") is None
    assert find_overdue(database.dsn, declared.deployment, options) == []


@pytest.mark.claim("retain-deleted")
def test_retain_deleted__rows_of_an_account_go_from_every_partition(database: TestDatabase, declared: Declared) -> None:
    days = [AS_OF - n * DAY for n in range(9)]
    make(database, *days[:5])
    leaving, staying = database.account(deletion_requested_at=AS_OF - 8 * DAY), database.account()
    for account in (leaving, staying):
        database.usage(account, database.api_key(account), *days)
    options = RetentionOptions(rule="deletion", as_of=AS_OF, batch_rows=2)
    (result,) = run_retention(database.dsn, declared.deployment, options)
    assert result.outcome == "complete"
    assert database.execute("SELECT account_id, count(*) FROM usage GROUP BY 1") == [(staying, 9)]
    assert database.count("account") == 1


# What is made


def test_partitions_are_made_ahead_and_made_once(database: TestDatabase, declared: Declared) -> None:
    assert names(database) == []
    threads = [threading.Thread(target=run, args=(database, declared.deployment)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    today = database.value("SELECT date_trunc('day', now())")
    assert names(database) == [f"usage__p{today + n * DAY:%Y%m%d}" for n in range(4)]
    assert run(database, declared.deployment).outcome == "complete"
    assert len(names(database)) == 4


def test_rows_that_came_before_their_partition_move_into_it(database: TestDatabase, declared: Declared) -> None:
    account, now = database.account(), datetime.now(UTC)
    database.usage(account, database.api_key(account), now, now + 2 * DAY, now + 100 * DAY)
    assert run(database, declared.deployment, now).outcome == "complete"
    held = database.execute("SELECT tableoid::regclass::text FROM usage ORDER BY occurred_at")
    day = "crouter.usage__p{:%Y%m%d}"
    assert [row[0].removeprefix("crouter.") for row in held] == [
        day.format(now).removeprefix("crouter."),
        day.format(now + 2 * DAY).removeprefix("crouter."),
        "usage__rest",
    ]


def test_where_many_rows_came_before_their_partition_they_stay_and_go_in_time(
    database: TestDatabase, declared: Declared
) -> None:
    account = database.account()
    database.usage(account, database.api_key(account), *[YEAR_AGO] * 10_001)
    assert database.value("SELECT partition_make('usage', '1 day', %s)", YEAR_AGO) is False
    assert run(database, declared.deployment).removed == 10_001


def test_another_width_takes_what_is_free_between_the_partitions_there_are(
    database: TestDatabase, declared: Declared, session: Session
) -> None:
    make(database, AS_OF)
    make(database, AS_OF + 2 * DAY, width="1 month")
    known = of_usage(declared.deployment).known(session)
    midnight = datetime(2026, 11, 1, tzinfo=UTC)
    assert [(p.starts, p.ends) for p in known] == [
        (midnight, midnight + DAY),
        (midnight + DAY, datetime(2026, 12, 1, tzinfo=UTC)),
    ]
    assert database.value("SELECT partition_make('usage', '1 month', %s)", AS_OF) is False


@pytest.mark.parametrize(
    ("width", "moment", "start"),
    [
        ("1 month", "2024-02-29T23:59:59.999999Z", "2024-02-01"),
        ("3 months", "2024-12-31T23:59:59Z", "2024-10-01"),
        ("1 day", "2026-03-29T01:30:00+02:00", "2026-03-28"),
        ("7 days", "2026-11-22T23:00:00Z", "2026-11-16"),
        ("06:00", "2026-11-22T23:00:00Z", "2026-11-22 18:00"),
    ],
)
def test_ranges_begin_evenly_in_utc_whatever_the_session_says(
    database: TestDatabase, width: str, moment: str, start: str
) -> None:
    for zone in ("UTC", "America/New_York", "Asia/Kathmandu"):
        query = sql.SQL("SET TIME ZONE {}; SELECT partition_start({}::interval, {}) AT TIME ZONE 'UTC'")
        with psycopg.connect(database.dsn, autocommit=True) as connection:
            connection.execute("SET search_path TO crouter")
            cursor = connection.execute(query.format(zone, width, moment))
            assert cursor.nextset()
            assert cursor.fetchone() == (datetime.fromisoformat(start),)


def test_without_partitions_ahead_the_alarm_is_raised_once_a_run_has_been(
    database: TestDatabase, declared: Declared
) -> None:
    options = RetentionOptions(rule="usage")
    assert find_overdue(database.dsn, declared.deployment, options) == []
    run(database, declared.deployment)
    assert find_overdue(database.dsn, declared.deployment, options) == []
    for name in names(database):
        database.execute("SELECT partition_drop('usage', %s)", name)
    assert find_overdue(database.dsn, declared.deployment, options) == [Overdue("usage", "usage", "no_partition", 0)]
