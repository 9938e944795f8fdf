"""A partition is no way around the rules of its table, and who makes or drops one can do nothing else."""

from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from crouter.embedded import RunningCluster
from crouter.runtime.database.migrations import check_database, migrate
from crouter.runtime.retention.session import open_session
from tests.unit.runtime.retention.databases import Declared, TestDatabase
from tests.unit.runtime.retention.partitioned import AS_OF, DAY, YEAR_AGO, make, run

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

EVERYBODY = ("anon", "authenticated", "service_role", "crouter_service", "crouter_retention")


@pytest.mark.parametrize("role", EVERYBODY)
def test_nobody_reads_or_writes_a_partition_past_its_table(database: TestDatabase, role: str) -> None:
    make(database, AS_OF)
    account = database.account()
    database.usage(account, database.api_key(account), AS_OF, YEAR_AGO)
    for partition in ("usage__p20261101", "usage__rest"):
        for statement in ("SELECT FROM {}", "DELETE FROM {}", "INSERT INTO {} (id) VALUES (NULL)", "DROP TABLE {}"):
            with psycopg.connect(database.dsn) as connection:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(sql.SQL(statement).format(sql.Identifier("crouter", partition)))


@pytest.mark.claim("processor-supabase")
def test_processor_supabase__a_right_given_by_mistake_shows_no_row_of_a_partition(database: TestDatabase) -> None:
    make(database, AS_OF)
    account = database.account()
    database.usage(account, database.api_key(account), AS_OF)
    database.execute("GRANT SELECT ON usage__p20261101 TO authenticated, crouter_service")
    for role in ("authenticated", "crouter_service"):
        with psycopg.connect(database.dsn) as connection:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            assert connection.execute("SELECT * FROM crouter.usage__p20261101").fetchall() == []


@pytest.mark.parametrize("role", [role for role in EVERYBODY if role != "crouter_retention"])
def test_partitions_are_made_and_dropped_by_retention_only(database: TestDatabase, role: str) -> None:
    make(database, AS_OF)
    for call in (
        "partition_make('usage', '1 day', now())",
        "partition_drop('usage', 'usage__p20261101')",
        "partition_list('usage')",
        "partition_secure('usage')",
    ):
        with psycopg.connect(database.dsn) as connection:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT crouter.{call}".encode())


@pytest.mark.parametrize("name", ["account", "usage", "usage__rest", "ledger", "usage__p19990101", "pg_class"])
def test_nothing_but_a_partition_can_be_dropped(database: TestDatabase, declared: Declared, name: str) -> None:
    with (
        open_session(database.dsn, declared.deployment.database_schema) as session,
        pytest.raises(psycopg.errors.UndefinedTable),
    ):
        session.execute("SELECT partition_drop('usage', %s)", (name,))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE crouter.more PARTITION OF crouter.usage FOR VALUES FROM ('2001-01-01') TO ('2001-01-02')",
        "CREATE TABLE public.usage__p20010101 PARTITION OF crouter.usage FOR VALUES FROM ('2001-1-1') TO ('2002-1-1')",
        "GRANT SELECT ON crouter.usage__rest TO authenticated",
        "ALTER TABLE crouter.usage__rest DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE crouter.usage__rest NO FORCE ROW LEVEL SECURITY",
    ],
)
def test_a_partition_that_nobody_declared_or_that_leaks_breaks_the_check(
    database: TestDatabase, declared: Declared, statement: LiteralString
) -> None:
    run(database, declared.deployment)
    assert check_database(database.dsn, declared.migrations, declared.origin).state == "in_step"
    database.execute(sql.Composed([sql.SQL(statement)]))
    check = check_database(database.dsn, declared.migrations, declared.origin)
    assert check.state == "refused"
    assert "partition" in check.sentence


def test_an_owner_without_special_rights_keeps_every_row(postgres: RunningCluster, declared: Declared) -> None:
    """Row-level security holds for the owner too (FORCE): rows that it did not see would be lost in a move."""
    admin = TestDatabase(postgres.ensure_database("owned_by_nobody_special"))
    migrate(admin.dsn, declared.migrations, declared.origin, plain_postgres=True)
    admin.execute("CREATE ROLE plain_owner LOGIN")
    admin.execute("GRANT crouter_service, crouter_retention TO plain_owner")
    admin.execute("ALTER SCHEMA crouter OWNER TO plain_owner")
    for name in ("usage", "usage__rest", "account", "api_key", "ledger", "retention_run"):
        admin.execute(sql.SQL("ALTER TABLE {} OWNER TO plain_owner").format(sql.Identifier(name)))
    for (signature,) in admin.execute(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'crouter'::regnamespace"
    ):
        admin.execute(sql.Composed([sql.SQL("ALTER FUNCTION "), sql.SQL(signature), sql.SQL(" OWNER TO plain_owner")]))
    account, now = admin.account(), datetime.now(UTC)
    admin.usage(account, admin.api_key(account), now, now, YEAR_AGO - DAY)
    make(admin, YEAR_AGO - DAY)
    assert run(admin, declared.deployment, now - timedelta(hours=1)).removed == 1
    assert admin.count("usage") == 2
    assert admin.value("SELECT count(*) FROM ONLY usage__rest") == 0
