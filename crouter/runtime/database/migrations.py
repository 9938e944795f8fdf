"""Brings a database to the state of `generated/`, one migration and one transaction at a time.

Every transaction takes an advisory lock and looks again before it acts. So several runners may work at once, also
through a transaction pooler, and one that is killed leaves whole migrations only.

Where the Supabase CLI has applied migrations, they count as applied, by version and name: the CLI keeps statements and
not files, so whether a file changed since cannot be told for these. They are then adopted into our own book. The other
direction does not work: after this runner has applied a migration, `supabase db push` would try it again.

Left out: a way back (a mistake is mended by a further migration), and migrations that cannot run in a transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError, translated
from crouter.runtime.database.migration_files import Migration, MigrationsRefusedError, read_migrations
from crouter.runtime.database.migration_record import AppliedMigration, Found, book, look

SERVER_VERSION_MIN: Final = 150000
WAIT_SECONDS: Final = 60
CONNECT_SECONDS: Final = 10
_LOCK_KEY: Final = 0x63726F757465_72  # "crouter": one lock for each database
_LOCK_NOT_AVAILABLE: Final = "55P03"
_SHIM: Final = "supabase_shim.sql"
SUPABASE_AUTH: Final = "supabase_auth.sql"
"""Beside the folder of migrations; runs after them, every time, because Supabase's tables are not ours to migrate."""

State = Literal["in_step", "pending", "ahead", "other_contract", "refused", "unreachable"]


class MigrationFailedError(Exception):
    """The database refused a migration, or could not take it now; that migration left nothing behind.

    The message names file, line and SQLSTATE, never the server's words: they may quote a row.
    """


@dataclass(frozen=True, slots=True)
class Origin:
    """What the migrations were generated for."""

    contract: int
    policy_digest: str
    schema: str

    @classmethod
    def of(cls, deployment: Deployment) -> "Origin":
        return cls(deployment.contract, deployment.policy_digest, deployment.database_schema)


@dataclass(frozen=True, slots=True)
class Step:
    """One migration is done. `number` counts from 1 to `total`, the ones that were pending when this run began."""

    migration: Migration
    number: int
    total: int
    adopted: bool


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    """Whether a database fits `generated/`. Only `in_step` does; the sentence says what to do about the others."""

    state: State
    sentence: str
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: migrations that Supabase applied, then those that nobody has."""

    adopt: tuple[Migration, ...]
    apply: tuple[Migration, ...]


def migrate(
    dsn: str,
    folder: Path,
    origin: Origin,
    *,
    plain_postgres: bool = False,
    wait_seconds: int = WAIT_SECONDS,
    progress: Callable[[Step], None] = lambda step: None,
) -> tuple[Step, ...]:
    """Apply every pending migration of `folder`; returns what was done, which is nothing when all was applied.

    `plain_postgres` makes the roles and the `auth` schema that Supabase provides, where they are missing.
    `wait_seconds` bounds the wait for another runner, and for each lock on a table.

    Raises MigrationsRefusedError before anything is touched, MigrationFailedError, DatabaseAwayError.
    """
    migrations = read_migrations(folder)
    done: list[Step] = []
    with translated(), psycopg.connect(dsn, **_connection_arguments()) as connection:
        total = None
        while True:
            step = _next_step(connection, migrations, origin, plain_postgres, wait_seconds, len(done), total)
            if step is None:
                _quieten_auth(connection, folder.with_name(SUPABASE_AUTH), wait_seconds)
                return tuple(done)
            total = step.total
            done.append(step)
            progress(step)


def check_database(dsn: str, folder: Path, origin: Origin) -> DatabaseCheck:
    """Whether the database fits `folder`; reads only, raises nothing."""
    try:
        migrations = read_migrations(folder)
        with translated(), psycopg.connect(dsn, **_connection_arguments()) as connection:
            work = work_to_do(look(connection, origin.schema), migrations, origin)
    except MigrationsRefusedError as refusal:
        states: dict[str, State] = {"ahead": "ahead", "other_contract": "other_contract"}
        return DatabaseCheck(states.get(refusal.reason, "refused"), str(refusal))
    except DatabaseAwayError as problem:
        return DatabaseCheck("unreachable", f"the database cannot be reached ({problem}): check DATABASE_URL")
    except DatabaseError as problem:
        return DatabaseCheck("refused", f"the database does not tell its migrations ({problem}): check its grants")
    if work.apply:
        count = len(work.apply)
        return DatabaseCheck("pending", f"{count} migration(s) are not applied yet: run `crouter migrate`", count)
    return DatabaseCheck("in_step", "the database has every migration")


def _connection_arguments() -> dict[str, Any]:
    return {
        "autocommit": True,
        "connect_timeout": CONNECT_SECONDS,
        "prepare_threshold": None,
        "application_name": "crouter migrate",
    }


def _next_step(
    connection: Connection[Any],
    migrations: tuple[Migration, ...],
    origin: Origin,
    plain_postgres: bool,
    wait_seconds: int,
    done: int,
    total: int | None,
) -> Step | None:
    """Do one migration under the lock, in one transaction; None when there is nothing left to do."""
    # Looked at without the lock first, so that a refusal need not wait for anything.
    work_to_do(look(connection, origin.schema), migrations, origin)
    with connection.transaction():
        _take_lock(connection, wait_seconds)
        found = look(connection, origin.schema)
        work = work_to_do(found, migrations, origin)
        if not work.adopt and not work.apply:
            return None
        migration, adopted = (work.adopt[0], True) if work.adopt else (work.apply[0], False)
        if not adopted:
            _require_auth(connection, found, plain_postgres)
            _apply(connection, migration)
        book(connection, migration, origin.contract, origin.policy_digest)
    total = total or len(work.adopt) + len(work.apply)
    return Step(migration, done + 1, max(total, done + 1), adopted)


def _take_lock(connection: Connection[Any], wait_seconds: int) -> None:
    # Bounds the wait for tables too: a migration that queues behind a long reader stops everybody behind it.
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{wait_seconds}s",))
    connection.execute("SELECT set_config('statement_timeout', '0', true), set_config('search_path', '', true)")
    try:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    except psycopg.errors.LockNotAvailable:
        raise MigrationFailedError(
            f"another migration of this database has been running for more than {wait_seconds} s: wait for it to end, "
            "then try again"
        ) from None


def _require_auth(connection: Connection[Any], found: Found, plain_postgres: bool) -> None:
    if found.has_auth:
        return
    if not plain_postgres:
        raise MigrationsRefusedError(
            "no_auth",
            "this server has no `auth` schema, so it is not Supabase: run `crouter migrate --plain-postgres`, which "
            "makes what Supabase would provide. Nothing was changed",
        )
    _execute(connection, _SHIM, Path(__file__).with_name(_SHIM).read_text(encoding="utf-8"))


def _quieten_auth(connection: Connection[Any], file: Path, wait_seconds: int) -> None:
    """Takes out of the tables of Supabase Auth, where they are, what the policy does not allow it to keep."""
    if not file.is_file() or connection.execute("SELECT to_regclass('auth.users')").fetchone() == (None,):
        return
    with connection.transaction():
        _take_lock(connection, wait_seconds)
        _execute(connection, file.name, file.read_text(encoding="utf-8"))


def _apply(connection: Connection[Any], migration: Migration) -> None:
    _execute(connection, migration.file_name, migration.statements)
    connection.execute("SELECT set_config('search_path', '', true)")


def _execute(connection: Connection[Any], file_name: str, statements: str) -> None:
    try:
        # Without parameters psycopg hands the text over as it is: several statements, no placeholders.
        connection.execute(statements)
    except psycopg.Error as error:
        raise MigrationFailedError(_failure(file_name, statements, error)) from None
    if connection.info.transaction_status != TransactionStatus.INTRANS:
        raise MigrationFailedError(
            f"{file_name} ends its own transaction, so it may be applied in part: take COMMIT or ROLLBACK out of it "
            "and restore the database from a backup"
        )


def _failure(file_name: str, statements: str, error: psycopg.Error) -> str:
    if error.sqlstate == _LOCK_NOT_AVAILABLE:
        return f"{file_name} needs a table that is in use: nothing of it was applied, try again at a quieter time"
    position = error.diag.statement_position
    place = f":{statements[: int(position)].count(chr(10)) + 1}" if position else ""
    code = f"SQLSTATE {error.sqlstate}" if error.sqlstate else "the connection broke"
    return f"{file_name}{place} failed ({code}): nothing of it was applied, the migrations before it stay"


def work_to_do(found: Found, migrations: tuple[Migration, ...], origin: Origin) -> Work:
    """What is to be done. Raises MigrationsRefusedError where nothing may be."""
    if found.server_version < SERVER_VERSION_MIN:
        raise MigrationsRefusedError(
            "server_too_old",
            f"this is PostgreSQL {found.server_version // 10000}, and Crouter needs 15 or later: upgrade the server. "
            "Nothing was changed",
        )
    _require_contract(found.booked, origin.contract)
    adopted = _adoptable(found, migrations)
    applied = (*found.booked, *(AppliedMigration(item.version, item.name) for item in adopted))
    _require_prefix(applied, migrations)
    _require_schema(found, bool(applied), origin.schema)
    _require_own_partitions(found)
    return Work(adopt=adopted, apply=migrations[len(applied) :])


def _require_own_partitions(found: Found) -> None:
    if found.strange_partitions:
        raise MigrationsRefusedError(
            "strange_partition",
            f"{', '.join(found.strange_partitions)}: a partition that nobody declared, or with rights of its own, "
            "where rows would be kept or read past the rules of their table: take the rights away (REVOKE ALL) or "
            "detach it. Nothing was changed",
        )


def _require_contract(booked: tuple[AppliedMigration, ...], contract: int) -> None:
    others = {item.contract for item in booked} - {contract}
    if others:
        number = max(filter(None, others), default=0)
        raise MigrationsRefusedError(
            "other_contract",
            f"this database was made for contract {number}, and generated/ is for contract {contract}: use the "
            f"release of crouter that speaks contract {number}, or follow the release notes. Nothing was changed",
        )


def _adoptable(found: Found, migrations: tuple[Migration, ...]) -> tuple[Migration, ...]:
    """Migrations that only the Supabase CLI knows of. Nothing, when its list is not about ours."""
    by_version = {item.version: item for item in migrations}
    booked = {item.version for item in found.booked}
    if not any(item.version in by_version or item.version in booked for item in found.listed_by_supabase):
        return ()
    for item in found.listed_by_supabase:
        migration = by_version.get(item.version)
        if migration is None or item.name not in ("", migration.name):
            raise MigrationsRefusedError(
                "ahead" if item.version > migrations[-1].version else "other_history",
                f"the Supabase CLI has applied {item.version}, which generated/ does not hold or names otherwise: "
                "use the version of the service, and the generated/, that it came from. Nothing was changed",
            )
    return tuple(by_version[item.version] for item in found.listed_by_supabase if item.version not in booked)


def _require_prefix(applied: tuple[AppliedMigration, ...], migrations: tuple[Migration, ...]) -> None:
    for had, migration in zip(applied, migrations, strict=False):
        if had.version != migration.version:
            missing = had if had.version < migration.version else migration
            what = "was applied and is not in the folder" if missing is had else "comes before one that was applied"
            raise MigrationsRefusedError(
                "other_history",
                f"{missing.file_name} {what}: restore generated/database/migrations from version control. "
                "Nothing was changed",
            )
        if had.sha256 not in (None, migration.sha256) or had.name != migration.name:
            raise MigrationsRefusedError(
                "changed_migration",
                f"{migration.file_name} is not what was applied to this database: restore it from version control; "
                "a change belongs into a further migration. Nothing was changed",
            )
    if len(applied) > len(migrations):
        raise MigrationsRefusedError(
            "ahead",
            f"this database has had {applied[len(migrations)].file_name}, which generated/ does not hold: "
            "run the newer version of the service. Nothing was changed",
        )


def _require_schema(found: Found, any_applied: bool, schema: str) -> None:
    if found.has_schema and not any_applied:
        raise MigrationsRefusedError(
            "foreign_schema",
            f"this database holds a schema `{schema}` that no migration of ours made: use an empty database, or rename "
            "that schema. Nothing was changed",
        )
    if any_applied and not found.has_schema:
        raise MigrationsRefusedError(
            "lost_schema",
            f"this database has had migrations, but its schema `{schema}` is gone: restore it from a backup, or begin "
            "with an empty database. Nothing was changed",
        )
