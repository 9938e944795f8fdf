"""Migrations on a real database: applied whole, in order, once; refused with nothing touched."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from crouter.embedded import PostgresBinaries, RunningCluster
from crouter.runtime.database.migration_files import MigrationsRefusedError, read_migrations
from crouter.runtime.database.migration_record import Found
from crouter.runtime.database.migrations import (
    MigrationFailedError,
    Origin,
    Step,
    check_database,
    migrate,
    work_to_do,
)
from tests.unit.runtime.retention.databases import ROOT, Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

ORIGIN = Origin(contract=1, policy_digest="d" * 64, schema="crouter")
FIRST = "20250101000000_first.sql"
SECOND = "20250202000000_second.sql"
THIRD = "20250303000000_third.sql"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FIRST).write_text("CREATE SCHEMA crouter;\nCREATE TABLE crouter.thing (id int);\n")
    (tmp_path / SECOND).write_text("ALTER TABLE crouter.thing ADD COLUMN name text DEFAULT '100%';\n")
    return tmp_path


def dump(database: TestDatabase) -> str:
    """The whole database as pg_dump writes it, without the random words newer versions add."""
    program = PostgresBinaries.embedded().path("pg_dump")
    done = subprocess.run([program, "--dbname", database.dsn], capture_output=True, text=True, check=True)
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def run(database: TestDatabase, folder: Path, origin: Origin = ORIGIN, *, plain: bool = True) -> tuple[Step, ...]:
    return migrate(database.dsn, folder, origin, plain_postgres=plain)


def test_migrations_are_applied_in_order_and_told_one_by_one(empty_database: TestDatabase, folder: Path) -> None:
    told: list[Step] = []
    migrate(empty_database.dsn, folder, ORIGIN, plain_postgres=True, progress=told.append)
    assert [(step.migration.file_name, step.number, step.total) for step in told] == [(FIRST, 1, 2), (SECOND, 2, 2)]
    rows = empty_database.execute(
        "SELECT version, name, contract, policy_digest FROM crouter_migrations.applied ORDER BY version"
    )
    assert rows == [("20250101000000", "first", 1, "d" * 64), ("20250202000000", "second", 1, "d" * 64)]
    assert check_database(empty_database.dsn, folder, ORIGIN).state == "in_step"


def test_a_second_run_does_nothing_and_a_third_migration_is_added(empty_database: TestDatabase, folder: Path) -> None:
    run(empty_database, folder)
    before = dump(empty_database)
    assert run(empty_database, folder, plain=False) == ()
    assert dump(empty_database) == before
    (folder / THIRD).write_text("DROP TABLE crouter.thing;")
    check = check_database(empty_database.dsn, folder, ORIGIN)
    assert (check.state, check.pending) == ("pending", 1)
    assert [step.migration.file_name for step in run(empty_database, folder)] == [THIRD]


def test_the_generated_migrations_apply_and_may_be_looked_at_by_both_roles(
    database: TestDatabase, declared: Declared
) -> None:
    assert check_database(database.dsn, declared.migrations, declared.origin).state == "in_step"
    for role in ("crouter_service", "crouter_retention"):
        with psycopg.connect(database.dsn) as connection:
            connection.execute(f"SET ROLE {role}")
            assert connection.execute("SELECT count(*) FROM crouter_migrations.applied").fetchone() == (1,)


def test_postgresql_15_takes_them_too(postgres_15: RunningCluster, declared: Declared) -> None:
    dsn = postgres_15.ensure_database("fifteen")
    migrate(dsn, declared.migrations, declared.origin, plain_postgres=True)
    assert check_database(dsn, declared.migrations, declared.origin).state == "in_step"


def test_the_shim_leaves_an_auth_schema_alone(empty_database: TestDatabase, folder: Path) -> None:
    empty_database.execute("CREATE SCHEMA auth")
    run(empty_database, folder, plain=False)
    assert empty_database.value("SELECT to_regprocedure('auth.uid()')") is None


# What is done to a database or to the folder, and the word and a sentence's part of the refusal.
def _other_contract(database: TestDatabase, folder: Path) -> None:
    database.execute("UPDATE crouter_migrations.applied SET contract = 7")


def _changed(database: TestDatabase, folder: Path) -> None:
    (folder / FIRST).write_text((folder / FIRST).read_text() + " ")


def _missing(database: TestDatabase, folder: Path) -> None:
    (folder / FIRST).unlink()


def _renamed(database: TestDatabase, folder: Path) -> None:
    (folder / FIRST).rename(folder / FIRST.replace("first", "other"))


def _inserted(database: TestDatabase, folder: Path) -> None:
    (folder / "20250115000000_between.sql").write_text("SELECT 1;")


def _ahead(database: TestDatabase, folder: Path) -> None:
    (folder / SECOND).unlink()


def _no_book(database: TestDatabase, folder: Path) -> None:
    database.execute("DROP SCHEMA crouter_migrations CASCADE")


def _no_schema(database: TestDatabase, folder: Path) -> None:
    database.execute("DROP SCHEMA crouter CASCADE")


REFUSALS = [
    pytest.param(_other_contract, "other_contract", "contract 7", id="another contract"),
    pytest.param(_changed, "changed_migration", FIRST, id="a changed migration"),
    pytest.param(_missing, "other_history", FIRST, id="a missing migration"),
    pytest.param(_renamed, "changed_migration", "other", id="a renamed migration"),
    pytest.param(_inserted, "other_history", "between", id="a migration put between"),
    pytest.param(_ahead, "ahead", SECOND, id="a newer database"),
    pytest.param(_no_book, "foreign_schema", "empty database", id="a schema without a book"),
    pytest.param(_no_schema, "lost_schema", "backup", id="a book without a schema"),
]


@pytest.mark.parametrize(("change", "reason", "said"), REFUSALS)
def test_a_refusal_says_what_to_do_and_leaves_the_dump_as_it_was(
    empty_database: TestDatabase,
    folder: Path,
    change: Callable[[TestDatabase, Path], None],
    reason: str,
    said: str,
) -> None:
    run(empty_database, folder)
    change(empty_database, folder)
    (folder / THIRD).write_text("CREATE TABLE crouter.later (id int);")
    if reason == "ahead":
        (folder / THIRD).unlink()
    before = dump(empty_database)
    with pytest.raises(MigrationsRefusedError, match=said) as caught:
        run(empty_database, folder)
    assert caught.value.reason == reason
    assert "Nothing was changed" in str(caught.value)
    assert dump(empty_database) == before
    check = check_database(empty_database.dsn, folder, ORIGIN)
    assert check.state == {"other_contract": "other_contract", "ahead": "ahead"}.get(reason, "refused")
    assert check.sentence == str(caught.value)


def test_plain_postgresql_has_to_be_named(empty_database: TestDatabase, folder: Path) -> None:
    before = dump(empty_database)
    with pytest.raises(MigrationsRefusedError, match="--plain-postgres"):
        run(empty_database, folder, plain=False)
    assert dump(empty_database) == before


def test_a_server_older_than_15_is_refused(folder: Path) -> None:
    found = Found(140012, has_book=False, has_schema=False, has_auth=False, booked=(), listed_by_supabase=())
    with pytest.raises(MigrationsRefusedError, match="PostgreSQL 14") as caught:
        work_to_do(found, read_migrations(folder), ORIGIN)
    assert caught.value.reason == "server_too_old"
    assert work_to_do(replace(found, server_version=150000), read_migrations(folder), ORIGIN).apply


def test_a_migration_that_fails_leaves_nothing_and_keeps_those_before_it(
    empty_database: TestDatabase, folder: Path
) -> None:
    (folder / THIRD).write_text("CREATE TABLE crouter.half (id int);\n\nSELECT secret_word;\n")
    with pytest.raises(MigrationFailedError, match=rf"{THIRD}:3 failed \(SQLSTATE 42703\)") as caught:
        run(empty_database, folder)
    assert "secret_word" not in str(caught.value)
    assert empty_database.value("SELECT to_regclass('crouter.half')") is None
    assert check_database(empty_database.dsn, folder, ORIGIN).pending == 1


def test_a_migration_that_ends_its_own_transaction_is_told(empty_database: TestDatabase, folder: Path) -> None:
    (folder / THIRD).write_text("COMMIT;")
    with pytest.raises(MigrationFailedError, match="COMMIT"):
        run(empty_database, folder)


def test_a_database_that_is_away_is_a_value_without_its_address(folder: Path) -> None:
    check = check_database("postgresql://user:hidden-word@127.0.0.1:1/x", folder, ORIGIN)
    assert check.state == "unreachable"
    assert "hidden-word" not in check.sentence


def _supabase(database: TestDatabase, *applied: tuple[str, str]) -> None:
    database.execute("CREATE SCHEMA auth")
    database.execute("CREATE SCHEMA supabase_migrations")
    database.execute(
        "CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text)"
    )
    for version, name in applied:
        database.execute("INSERT INTO supabase_migrations.schema_migrations VALUES (%s, '{}', %s)", version, name)


def test_what_the_supabase_cli_has_applied_is_adopted_and_the_rest_applied(
    empty_database: TestDatabase, folder: Path
) -> None:
    _supabase(empty_database, ("20250101000000", "first"))
    empty_database.execute("CREATE SCHEMA crouter")
    empty_database.execute("CREATE TABLE crouter.thing (id int)")
    assert check_database(empty_database.dsn, folder, ORIGIN).state == "pending"
    steps = run(empty_database, folder, plain=False)
    assert [(step.migration.name, step.adopted) for step in steps] == [("first", True), ("second", False)]
    assert check_database(empty_database.dsn, folder, ORIGIN).state == "in_step"


def test_a_list_of_the_supabase_cli_that_is_not_about_ours_is_left_alone(
    empty_database: TestDatabase, folder: Path
) -> None:
    _supabase(empty_database, ("20200101000000", "something_else"))
    assert len(run(empty_database, folder, plain=False)) == 2


@pytest.mark.parametrize(
    ("applied", "reason"),
    [
        ((("20250101000000", "first"), ("20991231000000", "newer")), "ahead"),
        ((("20250101000000", "another_name"),), "other_history"),
        ((("20250202000000", "second"),), "other_history"),
    ],
)
def test_another_history_of_the_supabase_cli_is_refused(
    empty_database: TestDatabase, folder: Path, applied: tuple[tuple[str, str], ...], reason: str
) -> None:
    _supabase(empty_database, *applied)
    empty_database.execute("CREATE SCHEMA crouter")
    before = dump(empty_database)
    with pytest.raises(MigrationsRefusedError) as caught:
        run(empty_database, folder, plain=False)
    assert caught.value.reason == reason
    assert dump(empty_database) == before


def test_several_at_once_apply_each_migration_once(empty_database: TestDatabase, folder: Path) -> None:
    for number in range(10):
        (folder / f"202601{number:02}000000_more.sql").write_text(f"CREATE TABLE crouter.t{number} (id int);")
    steps: list[Step] = []
    empty_database.execute("CREATE SCHEMA auth")
    threads = [threading.Thread(target=lambda: steps.extend(run(empty_database, folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(step.migration.version for step in steps) == [item.version for item in read_migrations(folder)]


def test_a_second_one_waits_for_the_first_only_so_long_and_says_so(empty_database: TestDatabase, folder: Path) -> None:
    (folder / SECOND).write_text("SELECT pg_sleep(3);")
    first = threading.Thread(target=run, args=(empty_database, folder))
    first.start()
    deadline = time.monotonic() + 20
    while not empty_database.value("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'crouter')"):
        assert time.monotonic() < deadline
    with pytest.raises(MigrationFailedError, match="another migration"):
        migrate(empty_database.dsn, folder, ORIGIN, plain_postgres=True, wait_seconds=1)
    first.join()
    assert check_database(empty_database.dsn, folder, ORIGIN).state == "in_step"


def test_a_table_in_use_is_waited_for_only_so_long(empty_database: TestDatabase, folder: Path) -> None:
    run(empty_database, folder)
    (folder / THIRD).write_text("ALTER TABLE crouter.thing ADD COLUMN more int;")
    with psycopg.connect(empty_database.dsn) as reader:
        reader.execute("SELECT * FROM crouter.thing")
        with pytest.raises(MigrationFailedError, match="in use"):
            migrate(empty_database.dsn, folder, ORIGIN, wait_seconds=1)


def test_one_that_is_killed_in_the_middle_leaves_whole_migrations(empty_database: TestDatabase, folder: Path) -> None:
    (folder / THIRD).write_text("CREATE TABLE crouter.half (id int);\nSELECT pg_sleep(5);\n")
    code = (
        "import sys; from pathlib import Path; from crouter.runtime.database.migrations import migrate, Origin;"
        "migrate(sys.argv[1], Path(sys.argv[2]), Origin(1, 'd' * 64, 'crouter'), plain_postgres=True,"
        " progress=lambda step: print(step.number, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, empty_database.dsn, folder],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert [child.stdout.readline() for _ in range(2)] == ["1\n", "2\n"]
        time.sleep(0.3)
        child.kill()
    assert empty_database.value("SELECT to_regclass('crouter.half')") is None
    (folder / THIRD).write_text("CREATE TABLE crouter.whole (id int);")
    assert [step.migration.file_name for step in run(empty_database, folder)] == [THIRD]
