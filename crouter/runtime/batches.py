"""Whose a message batch is, and what is reserved for it. All batches stand behind one upstream key.

A record is made before the upstream is asked, in the transaction that finds the credit for it, and is given the batch's
id when the upstream has answered. Until its results are read, by its owner or at last by the service itself
(`crouter.runtime.unread_batches`), or it is deleted, it holds the most that the batch can cost; nobody leases that. A
record that was never given an id, because the process died in between, holds nothing after a while
(`crouter.runtime.credit.spendable`). Leaves out what a batch says and what its results cost.
"""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import is_erased
from crouter.runtime.credit.spendable import spendable_of
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import ACCOUNT, BATCH, LEDGER
from crouter.runtime.purposes import require_purpose

PURPOSE: Final = "billing"
_COLUMNS: Final = sql.SQL("id, account_id, api_key_id, upstream_id, created_at, settled_at IS NOT NULL")


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
class TooLittle:
    """There is not enough for a reservation. `leased_nanousd` is what processes have set aside for other requests.

    `room` is the number of the spending limit that leaves too little; None for the balance.
    """

    leased_nanousd: int
    room: int | None = None


Room = Callable[[Connection], Awaitable[tuple[int, int]]]
"""Locks a spending limit and gives what is free below it, and what processes have set aside."""


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
        spendable = spendable_of(deployment, database, sql.SQL("%(account)s::uuid"))
        self._lock = spendable.lock
        self._erased_owner = sql.SQL("SELECT FROM {} AS a WHERE a.id = b.account_id AND ({})").format(
            database.table(ACCOUNT), is_erased(deployment, "a")
        )
        self._state = sql.SQL("SELECT {}, {}").format(spendable.unreserved, spendable.leased)

    async def reserve(
        self,
        account: uuid.UUID,
        api_key: uuid.UUID,
        nanousd: int,
        created_at: datetime,
        rooms: Sequence[Room] = (),
    ) -> uuid.UUID | TooLittle:
        """A new record that holds `nanousd`, if the account's balance has so much that nobody holds or leases.

        `rooms` say what spending limits leave.
        """
        record = uuid.uuid4()
        insert = sql.SQL(
            "INSERT INTO {} (id, account_id, api_key_id, held_nanousd, created_at) VALUES (%s, %s, %s, %s, %s)"
        ).format(self._table)
        # Batches and leases of one account are asked for one after the other: credit for one admits one.
        async with self._database.transaction() as connection:
            await connection.execute(self._lock, (str(account),))
            row = await (await connection.execute(self._state, {"account": account})).fetchone()
            assert row is not None, "a select without a condition has a row"
            unreserved, leased = row
            if unreserved - leased < nanousd:
                return TooLittle(leased)
            for number, room in enumerate(rooms):
                free, leased = await room(connection)
                if free < nanousd:
                    return TooLittle(leased, number)
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

    async def unread(self, until: datetime, *, after: OwnedBatch | None = None) -> OwnedBatch | None:
        """The oldest batch made until then that still holds something, or the first of them after another one.

        None of an account that is erased: what it used is billed to nobody any more.
        """
        beside = sql.SQL("AND (created_at, id) > (%s, %s)") if after else sql.SQL("")
        query = sql.SQL(
            "SELECT {} FROM {} AS b WHERE created_at <= %s {} AND upstream_id IS NOT NULL AND settled_at IS NULL "
            "AND ended_at IS NULL AND NOT EXISTS ({}) ORDER BY created_at, id LIMIT 1"
        ).format(_COLUMNS, self._table, beside, self._erased_owner)
        cursor = (after.created_at, after.record) if after else ()
        rows = await self._database.rows(query, (until, *cursor))
        return OwnedBatch(*rows[0]) if rows else None

    def _owned(self) -> sql.Composed:
        return sql.SQL(
            "SELECT {} FROM {} WHERE account_id = %s AND upstream_id IS NOT NULL AND ended_at IS NULL"
        ).format(_COLUMNS, self._table)

    async def _set(self, change: sql.SQL, values: tuple[object, ...]) -> None:
        statement = sql.SQL("UPDATE {} SET {} WHERE id = %s").format(self._table, change)

        async def write(connection: Connection) -> None:
            await connection.execute(statement, values)

        await self._database.repeatable(write)
