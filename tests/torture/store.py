"""Reads the database's journal as its superuser: what is really there, past the service and its roles."""

import dataclasses
import uuid

import psycopg
from psycopg.rows import dict_row

from tests.torture.journals import Counts, Entry, Held, Row

COUNTS = tuple(field.name for field in dataclasses.fields(Counts))
# A lease may outlive a process that was killed, by this much.
LEASE_SECONDS_MAX = 600


def read_held(dsn: str, *, killed: bool) -> Held:
    """Everything the comparison needs. Raises psycopg.Error while the database is away."""
    with psycopg.connect(
        dsn, row_factory=dict_row, connect_timeout=3, options="-c default_transaction_read_only=on"
    ) as db:
        # One snapshot: a row and its charge are written in one transaction.
        db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        rows = db.execute('SELECT * FROM "crouter"."usage"').fetchall()
        entries = db.execute('SELECT id, account_id, kind, amount_nanousd FROM "crouter"."ledger"').fetchall()
        reserved = _reserved(db, LEASE_SECONDS_MAX if killed else 0)
    return Held(
        rows=tuple(_row(row) for row in rows),
        entries=tuple(Entry(row["id"], row["account_id"], row["kind"], row["amount_nanousd"]) for row in entries),
        reserved=reserved,
    )


def _row(row: dict[str, object]) -> Row:
    counts = {name: value for name in COUNTS if isinstance(value := row.get(name), int)}
    id_, account = row["id"], row["account_id"]
    assert isinstance(id_, uuid.UUID)
    assert isinstance(account, uuid.UUID)
    return Row(id_, account, Counts(**counts))


def _reserved(db: "psycopg.Connection[dict[str, object]]", beyond_seconds: int) -> int:
    """Credit that is set aside and not given back, in nanodollars."""
    found = db.execute("SELECT to_regclass('crouter.credit_lease') IS NOT NULL AS there").fetchone()
    if not found or not found["there"]:
        return 0
    row = db.execute(
        'SELECT coalesce(sum(remaining_nanousd), 0)::bigint AS sum FROM "crouter"."credit_lease"'
        " WHERE expires_at > now() + make_interval(secs => %s)",
        (beyond_seconds,),
    ).fetchone()
    assert row is not None
    reserved = row["sum"]
    assert isinstance(reserved, int)
    return reserved
