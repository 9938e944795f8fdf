"""A connection that acts as the role of retention, in UTC, and the lock that keeps a rule to one run at a time."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import Connection, sql

RETENTION_ROLE: Final = "crouter_retention"
CONNECT_SECONDS: Final = 10
STATEMENT_SECONDS: Final = 600
LOCK_SECONDS: Final = 10

Session = Connection[tuple[Any, ...]]


@contextmanager
def open_session(dsn: str, schema: str, *, read_only: bool = False) -> Iterator[Session]:
    """A connection in autocommit that sees `schema` only. Needs a session of its own, so no transaction pooler.

    Raises the driver's errors, to be translated by the caller.
    """
    with psycopg.connect(
        dsn,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name="crouter retention",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    ) as connection:
        settings = (
            sql.SQL("ROLE {}").format(sql.Identifier(RETENTION_ROLE)),
            sql.SQL("search_path TO {}, pg_temp").format(sql.Identifier(schema)),
            sql.SQL("TIME ZONE 'UTC'"),
            sql.SQL("statement_timeout TO {}").format(sql.Literal(f"{STATEMENT_SECONDS}s")),
            # Removing never makes the service wait for long: a batch that cannot have its rows gives up.
            sql.SQL("lock_timeout TO {}").format(sql.Literal(f"{LOCK_SECONDS}s")),
            sql.SQL("default_transaction_read_only TO {}").format(sql.Literal("on" if read_only else "off")),
        )
        connection.execute(sql.SQL("; ").join(sql.SQL("SET ") + setting for setting in settings))
        yield connection


@contextmanager
def rule_lock(connection: Session, schema: str, rule: str) -> Iterator[bool]:
    """Whether this session may carry out `rule` now: no other one does. The lock goes with the connection."""
    digest = hashlib.sha256(f"retention {schema} {rule}".encode()).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    held = bool(only(connection, sql.SQL("SELECT pg_try_advisory_lock({})").format(sql.Literal(key))))
    try:
        yield held
    finally:
        if held and not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


def clock(connection: Session) -> datetime:
    """The database's clock: every process that works on these rows has the same one."""
    now = only(connection, sql.SQL("SELECT clock_timestamp()"))
    assert isinstance(now, datetime)
    return now


def only(connection: Session, query: sql.SQL | sql.Composed) -> Any:
    """The one value of a query that gives one."""
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
