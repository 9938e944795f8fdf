"""Whose a message batch is, and what is reserved for it. All batches stand behind one upstream key.

A record is made before the upstream is asked, in the transaction that finds the credit for it, and is given the batch's
id when the upstream has answered. Until its results are read, or it is deleted, it holds the most that the batch can
cost. A record that was never given an id, because the process died in between, holds nothing after `NAMELESS_SECONDS`.
Leaves out what a batch says and what its results cost.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import ACCOUNT, BATCH, LEDGER
from crouter.runtime.purposes import require_purpose

PURPOSE: Final = "billing"
# Longer than any request for a new batch is under way.
NAMELESS_SECONDS: Final = 900


@dataclass(frozen=True, slots=True)
class OwnedBatch:
    """A batch of one account. `settled` says that its results were read to the end, and billed."""

    record: uuid.UUID
    account: uuid.UUID
    api_key: uuid.UUID
    upstream_id: str
    created_at: datetime
    settled: bool


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches of one account, newest first. `has_more` looks in the direction that was asked for."""

    batches: tuple[OwnedBatch, ...]
    has_more: bool


class BatchRecords:
    """The ownership records of message batches. Every method raises DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises KeyError when the policy declares no such records, PurposeRefusedError when not for billing."""
        require_purpose(deployment.record(BATCH), ("held_nanousd", "created_at"), PURPOSE)
        require_purpose(deployment.record(LEDGER), ("amount_nanousd",), PURPOSE)
        self._database = database
        self._table = database.table(BATCH)

    async def reserve(
        self, account: uuid.UUID, api_key: uuid.UUID, nanousd: int, created_at: datetime
    ) -> uuid.UUID | None:
        """A new record that holds `nanousd`; None where the account's balance, less all that is held, is smaller."""
        record = uuid.uuid4()
        insert = sql.SQL(
            "INSERT INTO {} (id, account_id, api_key_id, held_nanousd, created_at) VALUES (%s, %s, %s, %s, %s)"
        ).format(self._table)
        # Two batches at once are asked about one after the other: credit for one admits one.
        lock = sql.SQL("SELECT 1 FROM {} WHERE id = %s FOR NO KEY UPDATE").format(self._database.table(ACCOUNT))
        async with self._database.transaction() as connection:
            await connection.execute(lock, (account,))
            if await _spendable(connection, self._database, account) < nanousd:
                return None
            await connection.execute(insert, (record, account, api_key, nanousd, created_at))
        return record

    async def name(self, record: uuid.UUID, upstream_id: str) -> None:
        """Writes down which batch the record is about. Doing it again changes nothing."""
        await self._set(sql.SQL("upstream_id = %s"), (upstream_id, record))

    async def settle(self, record: uuid.UUID) -> None:
        """Ends the reservation: every result is billed."""
        await self._set(sql.SQL("settled_at = coalesce(settled_at, now())"), (record,))

    async def end(self, record: uuid.UUID) -> None:
        """Ends reservation and sight of a batch that was deleted or never came to be."""
        await self._set(sql.SQL("ended_at = coalesce(ended_at, now())"), (record,))

    async def find(self, account: uuid.UUID, upstream_id: str) -> OwnedBatch | None:
        """The batch with that id if it is the account's; None for anybody else's, and for none at all."""
        query = sql.SQL("{} AND upstream_id = %s").format(self._owned())
        rows = await self._database.rows(query, (account, upstream_id))
        return OwnedBatch(*rows[0]) if rows else None

    async def page(
        self,
        account: uuid.UUID,
        limit: int,
        *,
        beside: OwnedBatch | None = None,
        side: Literal["older", "newer"] = "older",
    ) -> BatchPage:
        """At most `limit` batches of the account: the newest, or those on one side of a batch, nearest first taken."""
        sign, order = (sql.SQL("<"), sql.SQL("DESC")) if side == "older" else (sql.SQL(">"), sql.SQL("ASC"))
        bound = sql.SQL("AND (created_at, id) {} (%s, %s)").format(sign) if beside else sql.SQL("")
        query = sql.SQL("{} {} ORDER BY created_at {}, id {} LIMIT %s").format(self._owned(), bound, order, order)
        cursor = (beside.created_at, beside.record) if beside else ()
        rows = await self._database.rows(query, (account, *cursor, limit + 1))
        batches = [OwnedBatch(*row) for row in rows[:limit]]
        return BatchPage(tuple(batches if side == "older" else reversed(batches)), len(rows) > limit)

    def _owned(self) -> sql.Composed:
        return sql.SQL(
            "SELECT id, account_id, api_key_id, upstream_id, created_at, settled_at IS NOT NULL FROM {} "
            "WHERE account_id = %s AND upstream_id IS NOT NULL AND ended_at IS NULL"
        ).format(self._table)

    async def _set(self, change: sql.SQL, values: tuple[object, ...]) -> None:
        statement = sql.SQL("UPDATE {} SET {} WHERE id = %s").format(self._table, change)

        async def write(connection: Connection) -> None:
            await connection.execute(statement, values)

        await self._database.repeatable(write)


class Spendable:
    """What an account may still spend: its ledger's sum, less what its batches hold."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        require_purpose(deployment.record(LEDGER), ("amount_nanousd",), PURPOSE)
        self._database = database
        self._has_batches = any(record.name == BATCH for record in deployment.records)

    async def nanousd(self, account: uuid.UUID) -> int:
        """Nanodollars. Raises DatabaseError."""

        async def read(connection: Connection) -> int:
            return await _spendable(connection, self._database, account, with_batches=self._has_batches)

        return await self._database.repeatable(read)


def held_by(database: Database, account: sql.Composable) -> sql.Composed:
    """A scalar subquery: nanodollars that the batches of `account`, an expression, hold."""
    return sql.SQL(
        "(SELECT coalesce(sum(b.held_nanousd), 0)::bigint FROM {} AS b WHERE b.account_id = {}"
        " AND b.settled_at IS NULL AND b.ended_at IS NULL"
        " AND (b.upstream_id IS NOT NULL OR b.created_at > now() - make_interval(secs => {})))"
    ).format(database.table(BATCH), account, sql.Literal(NAMELESS_SECONDS))


async def _spendable(
    connection: Connection, database: Database, account: uuid.UUID, *, with_batches: bool = True
) -> int:
    owner = sql.Literal(account)
    query = sql.SQL(
        "SELECT (SELECT coalesce(sum(amount_nanousd), 0)::bigint FROM {} WHERE account_id = {}) - {}"
    ).format(database.table(LEDGER), owner, held_by(database, owner) if with_batches else sql.SQL("0"))
    row = await (await connection.execute(query)).fetchone()
    assert row is not None, "a sum is one row"
    return int(row[0])
