"""Procrastinate's tables, in a schema of their own, and connections that see that schema.

A job holds the name of a rule and nothing else. It is removed when it ends: what happened is in the evidence.
"""

import hashlib
from typing import Any, Final

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection, sql

from crouter.runtime.database.errors import translated
from crouter.runtime.retention.options import RetentionRefusedError

SCHEMA: Final = "crouter_jobs"
_LOCK_KEY: Final = 0x63726F75_6A6F62  # "crou" "job"


def prepare_queue(dsn: str) -> None:
    """Make the schema where there is none, as the user of `dsn`, in one transaction. Blocks.

    Raises RetentionRefusedError if it was made by another version of Procrastinate, DatabaseError.
    """
    statements = SchemaManager.get_schema()
    made_by = f"queue {hashlib.sha256(statements.encode()).hexdigest()}"
    with (
        translated(),
        psycopg.connect(dsn, autocommit=True, connect_timeout=10) as connection,
        connection.transaction(),
    ):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
        found = connection.execute(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s", (SCHEMA,)
        ).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
            connection.execute(
                sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(SCHEMA), sql.Literal(made_by))
            )
            connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(SCHEMA)))
            connection.execute(statements)
        elif found[0] != made_by:
            raise RetentionRefusedError(
                f"the schema {SCHEMA} was made by another version of the job queue: stop every worker, then run "
                f"`DROP SCHEMA {SCHEMA} CASCADE`. It holds waiting jobs only; they are made anew"
            )


def queue(dsn: str) -> App:
    """An unopened queue. Its rhythm may be caught up for ten minutes; at its start a worker runs every rule anyway."""
    return App(
        connector=PsycopgConnector(
            conninfo=dsn,
            kwargs={"connect_timeout": 10, "application_name": "crouter retention worker"},
            configure=_see_schema,
            min_size=1,
            max_size=4,
            timeout=5.0,
        )
    )


async def _see_schema(connection: AsyncConnection[Any]) -> None:
    await connection.execute(sql.SQL("SET search_path TO {}, pg_temp").format(sql.Identifier(SCHEMA)))
    if not connection.autocommit:
        await connection.commit()
