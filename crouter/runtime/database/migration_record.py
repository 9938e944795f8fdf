"""What a database says about the migrations it has had: our own book of them, and the Supabase CLI's list.

Our book is the table `crouter_migrations.applied`. It is made in the transaction of the first migration, so a database
that was refused has none.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, sql

from crouter.runtime.database.migration_files import Migration

_OUR_ROLES: Final = ("crouter_service", "crouter_retention")
_VERSION = re.compile(r"[0-9]{14}")

_CREATE = """\
CREATE SCHEMA IF NOT EXISTS crouter_migrations;
CREATE TABLE IF NOT EXISTS crouter_migrations.applied (
    version text PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    contract integer NOT NULL,
    policy_digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);"""

# Rows of a partition are read through its table, under its rules: on the partition itself nobody has a right.
_STRANGE_PARTITIONS = """\
SELECT c.relname FROM pg_inherits AS i
JOIN pg_class AS p ON p.oid = i.inhparent AND p.relkind = 'p'
JOIN pg_namespace AS n ON n.oid = p.relnamespace AND n.nspname = %s
JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE c.relnamespace <> n.oid OR c.relkind <> 'r' OR NOT c.relrowsecurity OR NOT c.relforcerowsecurity
    OR c.relname !~ ('^' || p.relname || '__(rest|p[0-9]{8}([0-9]{2})?)$')
    OR EXISTS (SELECT FROM aclexplode(c.relacl) AS given WHERE given.grantee <> c.relowner)
ORDER BY c.relname"""


@dataclass(frozen=True, slots=True)
class AppliedMigration:
    """A migration that the database has had. `contract` and `sha256` are None where only Supabase lists it."""

    version: str
    name: str
    sha256: str | None = None
    contract: int | None = None

    @property
    def file_name(self) -> str:
        return f"{self.version}_{self.name}.sql"


@dataclass(frozen=True, slots=True)
class Found:
    """What a database holds, read in one transaction."""

    server_version: int
    """As PostgreSQL counts: 150014 for 15.14."""
    has_book: bool
    has_schema: bool
    has_auth: bool
    booked: tuple[AppliedMigration, ...]
    listed_by_supabase: tuple[AppliedMigration, ...]
    strange_partitions: tuple[str, ...] = ()
    """Partitions of our tables that no job made, or that somebody has rights on."""


def look(connection: Connection[Any], schema: str) -> Found:
    """Read what is there; changes nothing."""
    row = connection.execute(
        "SELECT current_setting('server_version_num')::int, to_regclass('crouter_migrations.applied') IS NOT NULL,"
        " EXISTS (SELECT FROM pg_namespace WHERE nspname = %s),"
        " EXISTS (SELECT FROM pg_namespace WHERE nspname = 'auth'),"
        " to_regclass('supabase_migrations.schema_migrations') IS NOT NULL,"
        # Older versions of the CLI kept no names.
        " EXISTS (SELECT FROM pg_attribute WHERE attname = 'name' AND NOT attisdropped"
        "   AND attrelid = to_regclass('supabase_migrations.schema_migrations'))",
        (schema,),
    ).fetchone()
    assert row is not None
    server_version, has_book, has_schema, has_auth, has_list, has_names = row
    return Found(
        server_version=server_version,
        has_book=has_book,
        has_schema=has_schema,
        has_auth=has_auth,
        booked=_booked(connection) if has_book else (),
        listed_by_supabase=_listed_by_supabase(connection, has_names) if has_list else (),
        strange_partitions=tuple(row[0] for row in connection.execute(_STRANGE_PARTITIONS, (schema,)).fetchall()),
    )


def book(connection: Connection[Any], migration: Migration, contract: int, policy_digest: str) -> None:
    """Note that the database has had `migration`, in the caller's transaction."""
    connection.execute(_CREATE)
    connection.execute(
        "INSERT INTO crouter_migrations.applied (version, name, sha256, contract, policy_digest)"
        " VALUES (%s, %s, %s, %s, %s)",
        (migration.version, migration.name, migration.sha256, contract, policy_digest),
    )
    # Whoever serves or removes checks at its start that the database is the one it was made for.
    for (role,) in connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(_OUR_ROLES),)
    ).fetchall():
        named = sql.Identifier(role)
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA crouter_migrations TO {}").format(named))
        connection.execute(sql.SQL("GRANT SELECT ON crouter_migrations.applied TO {}").format(named))


def _booked(connection: Connection[Any]) -> tuple[AppliedMigration, ...]:
    rows = connection.execute("SELECT version, name, sha256, contract FROM crouter_migrations.applied ORDER BY version")
    return tuple(AppliedMigration(*row) for row in rows.fetchall())


def _listed_by_supabase(connection: Connection[Any], has_names: bool) -> tuple[AppliedMigration, ...]:
    name = sql.SQL("coalesce(name, '')" if has_names else "''")
    rows = connection.execute(
        sql.SQL("SELECT version, {} FROM supabase_migrations.schema_migrations ORDER BY version").format(name)
    )
    return tuple(AppliedMigration(version, name) for version, name in rows.fetchall() if _VERSION.fullmatch(version))
