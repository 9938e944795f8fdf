"""A table with rows goes into partitions and out of them, in one migration and without losing any."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from pglast import parse_sql

from crouter.generate.changes import change_between
from crouter.generate.history import History
from crouter.generate.migrations import extend_history
from crouter.generate.partitioning import into_partitions, out_of_partitions, plain, rest_of
from crouter.generate.state import schema_of, state_of, structure_digest
from crouter.generate.templates import Templates
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy
from tests.cases.generate.cases import whole_policy
from tests.unit.generate.catalog import described
from tests.unit.generate.conftest import Database, Databases

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARTITIONS = "retention.usage.partitions"
TIER = {
    "label": "service tier",
    "type": "text",
    "required": True,
    "purposes": ["billing"],
    "data_category": "user.telemetry",
    "dpv": "ServiceConsumptionBehaviour",
}


def policies() -> tuple[Policy, Policy]:
    """The same policy without partitions and with."""
    return whole_policy(), whole_policy({PARTITIONS: "P1D"})


def extended(history: History, policy: Policy) -> History:
    return extend_history(make_plan(policy), Templates(), history)


def apply(database: Database, *texts: str) -> None:
    for text in texts:
        with database.transaction():
            database.execute(text.encode())


def fill(database: Database) -> set[tuple[object, ...]]:
    """Rows as an older service left them; what the table then holds."""
    database.execute("SET search_path TO crouter")
    database.execute("INSERT INTO account (id, created_at, email) VALUES (gen_random_uuid(), now(), 'e')")
    database.execute(
        "INSERT INTO api_key (id, account_id, lookup, lookup_version, last_four, created_at, sealed)"
        " SELECT gen_random_uuid(), id, sha256('a'), 1, 'abcd', now(), sha256('b') FROM account"
    )
    database.execute(
        "INSERT INTO usage (id, account_id, api_key_id, model, occurred_at) SELECT gen_random_uuid(), a.id, k.id, 'm',"
        " %s - n * interval '1 hour' FROM account AS a, api_key AS k, generate_series(1, 500) AS n",
        (NOW,),
    )
    database.execute("RESET search_path")
    return rows(database)


def rows(database: Database) -> set[tuple[object, ...]]:
    return set(database.execute("SELECT id, account_id, api_key_id, model, occurred_at FROM crouter.usage").fetchall())


def of_tables(database: Database) -> set[tuple[object, ...]]:
    """The catalog without what belongs to partitions: they are different from day to day."""
    return {item for item in described(database) if "usage__rest" not in str(item) and "usage__p" not in str(item)}


def test_a_policy_that_gets_partitions_needs_one_migration_that_destroys_nothing() -> None:
    without, within = policies()
    history = extended(extended(History.empty(), without), within)
    assert [(item.name, item.destroys) for item in history.migrations] == [("initial", ()), ("partition_usage", ())]
    assert [item.name for item in extended(history, without).migrations][2:] == ["gather_usage"]
    assert extended(history, within) == history


def test_another_width_needs_no_migration() -> None:
    history = extended(History.empty(), policies()[1])
    assert extended(history, whole_policy({PARTITIONS: "P7D"})) == history


def test_histories_from_before_there_were_partitions_stay_as_they_are() -> None:
    schema = make_plan(policies()[0]).schema
    state = state_of(schema)
    assert "routines" not in state
    assert all("partitioned_by" not in table for table in state["tables"])
    assert schema_of(state) == schema
    assert structure_digest(schema_of(state)) == structure_digest(schema)


def test_the_statements_are_sql_that_parses() -> None:
    schema = make_plan(policies()[1]).schema
    (usage,) = (table for table in schema.tables if table.partitioned_by)
    assert rest_of("usage") == "usage__rest"
    assert plain(plain(usage)) == plain(usage)
    for statements in (into_partitions("crouter", usage), out_of_partitions("crouter", usage)):
        parse_sql("\n".join(statements))


def test_rows_stay_where_they_are_and_new_ones_find_partitions(databases: Databases) -> None:
    without, within = policies()
    first = extended(History.empty(), without)
    both = extended(first, within)
    migrated, fresh = databases(), databases()
    apply(migrated, *first.texts)
    kept = fill(migrated)
    file_before = migrated.execute("SELECT pg_relation_filenode('crouter.usage')").fetchone()
    apply(migrated, both.texts[1])
    assert rows(migrated) == kept
    assert migrated.execute("SELECT pg_relation_filenode('crouter.usage__rest')").fetchone() == file_before, "a copy"
    apply(fresh, *extended(History.empty(), within).texts)
    assert of_tables(migrated) ^ of_tables(fresh) == set()
    migrated.execute("SELECT crouter.partition_make('usage', '1 day', %s)", (NOW - timedelta(days=1),))
    assert rows(migrated) == kept
    assert migrated.execute("SELECT count(*) FROM crouter.usage__p20261122").fetchone() == (24,)
    with pytest.raises(psycopg.errors.CheckViolation):
        migrated.execute("INSERT INTO crouter.usage (id, occurred_at) VALUES (gen_random_uuid(), now())")


def test_columns_that_come_in_the_same_migration_do_not_stand_in_the_way(databases: Databases) -> None:
    without, _ = policies()
    first = extended(History.empty(), without)
    both = extended(first, whole_policy({PARTITIONS: "P1D", "data.usage.fields.service_tier": TIER}))
    assert both.migrations[1].name == "add_usage_service_tier_and_partition_usage"
    database = databases()
    apply(database, *first.texts)
    kept = fill(database)
    apply(database, both.texts[1])
    assert rows(database) == kept
    assert database.execute("SELECT count(*) FROM crouter.usage WHERE service_tier IS NULL").fetchone() == (500,)


def test_out_of_partitions_every_row_comes_along(databases: Databases) -> None:
    without, within = policies()
    first = extended(History.empty(), within)
    both = extended(first, without)
    migrated, fresh = databases(), databases()
    apply(migrated, *first.texts)
    for days in range(3):
        migrated.execute("SELECT crouter.partition_make('usage', '1 day', %s)", (NOW - timedelta(days=days),))
    kept = fill(migrated)
    apply(migrated, both.texts[1])
    assert rows(migrated) == kept
    apply(fresh, *extended(History.empty(), without).texts)
    assert described(migrated) ^ described(fresh) == set()


def test_a_migration_that_fails_leaves_the_table_as_it_was(databases: Databases) -> None:
    without, within = policies()
    first = extended(History.empty(), without)
    database = databases()
    apply(database, *first.texts)
    kept = fill(database)
    before = described(database)
    with pytest.raises(psycopg.errors.DivisionByZero):
        apply(database, extended(first, within).texts[1] + "\nSELECT 1 / 0;")
    assert (rows(database), described(database)) == (kept, before)


def test_from_nothing_to_nothing_is_no_change() -> None:
    schema = make_plan(policies()[1]).schema
    assert change_between(schema, schema).steps == ()
