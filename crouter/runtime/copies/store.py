"""Copies as rows: asked for, made, ready, taken once. Reads no person's data; `making` does.

One outcome for each thing that can happen meanwhile:
- asked for twice: there is one copy under way, and the second asks for that one;
- the process that makes it is killed: it is begun anew, and what was written opens for nobody;
- the download breaks off: the copy can be taken again; once it went through, it cannot;
- the account's deletion is asked for: copies end, because nobody could sign in to take them.
"""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Period
from crouter.runtime.copies.pieces import TOGETHER, PieceReader, PiecesLostError, opener_place
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.environment import KeyRing
from crouter.runtime.names import COPY_PIECE, DATA_COPY
from crouter.runtime.requests.calendar import after
from crouter.runtime.sealing import Sealer

STALLED: Final = timedelta(minutes=15)
"""Who made or took a copy and has not been heard of for so long is gone."""

CopyState = Literal["waiting", "making", "ready", "taken", "failed"]
_UNDER_WAY: Final = ("waiting", "making", "ready")
_COLUMNS: Final = sql.SQL(
    "id, account_id, data_request_id, state, rows_done, rows_total, size_bytes, made_at, opener IS NOT NULL"
)


class NoSuchCopyError(Exception):
    """The account has no such copy, or none to take: it was taken, its time is over, or it is not ready."""


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One copy. `rows_total` is 0 until it is known."""

    id: uuid.UUID
    account: uuid.UUID
    request: uuid.UUID
    state: CopyState
    rows_done: int
    rows_total: int
    size_bytes: int
    made_at: datetime
    can_be_opened: bool

    @property
    def percent(self) -> int:
        if self.state in ("ready", "taken"):
            return 100
        return min(99, self.rows_done * 100 // self.rows_total) if self.rows_total else 0


class CopyStore:
    """The copies of all people."""

    def __init__(self, deployment: Deployment, database: Database, sealing: KeyRing) -> None:
        self._database = database
        self._sealer = Sealer(sealing)
        self._table, self._pieces = database.table(DATA_COPY), database.table(COPY_PIECE)
        self.kept = kept_for(deployment)

    async def ask(
        self, connection: Connection, account: uuid.UUID, request: uuid.UUID, now: datetime
    ) -> tuple[uuid.UUID, CopyState | None]:
        """The copy that is under way for an account, or a new one; its id, and the state of one that was there.

        Called with the request's row written, in its transaction. Raises the driver's errors.
        """
        query = sql.SQL(
            "SELECT id, state FROM {} WHERE account_id = %s AND state = ANY(%s) AND {} ORDER BY made_at DESC LIMIT 1"
        ).format(self._table, self._in_time)
        found = await (await connection.execute(query, (account, list(_UNDER_WAY), now))).fetchone()
        if found is not None:
            return found[0], found[1]
        return await self._insert(connection, account, request, now), None

    def until(self, made_at: datetime) -> datetime:
        """When a copy can be taken no longer."""
        return after(made_at, self.kept)

    async def of(self, account: uuid.UUID, now: datetime) -> tuple[CopyRow, ...]:
        """Those whose time is not over, newest first. Raises DatabaseError."""
        query = sql.SQL("SELECT {} FROM {} WHERE account_id = %s AND {} ORDER BY made_at DESC, id").format(
            _COLUMNS, self._table, self._in_time
        )
        return tuple([CopyRow(*row) for row in await self._database.rows(query, (account, now))])

    async def next(self, now: datetime) -> CopyRow | None:
        """Claims the oldest copy that waits; one whose maker is gone is begun anew. Raises DatabaseError."""
        lock = sql.SQL("FOR UPDATE SKIP LOCKED")
        stalled = sql.SQL("SELECT {} FROM {} WHERE state = 'making' AND worked_at < %s {}").format(
            _COLUMNS, self._table, lock
        )
        waiting = sql.SQL("SELECT {} FROM {} WHERE state = 'waiting' ORDER BY made_at, id LIMIT 1 {}").format(
            _COLUMNS, self._table, lock
        )
        claim = sql.SQL("UPDATE {} SET state = 'making', worked_at = %s WHERE id = %s").format(self._table)
        async with self._database.transaction() as connection:
            for row in await (await connection.execute(stalled, (now - STALLED,))).fetchall():
                lost = CopyRow(*row)
                await self._end(connection, lost.id)
                await self._insert(connection, lost.account, lost.request, now)
            row_found = await (await connection.execute(waiting)).fetchone()
            if row_found is None:
                return None
            await connection.execute(claim, (now, row_found[0]))
            return CopyRow(*row_found)

    async def ready(self, connection: Connection, copy: uuid.UUID, size_bytes: int) -> bool:
        """The last piece is written; whether the copy is still wanted. Raises the driver's errors."""
        query = sql.SQL("UPDATE {} SET state = 'ready', size_bytes = %s WHERE id = %s AND state = 'making'")
        return (await connection.execute(query.format(self._table), (size_bytes, copy))).rowcount == 1

    async def fail(self, copy: uuid.UUID, *, again: bool, now: datetime) -> None:
        """Its making broke off; with `again` another is asked for in its place. Raises DatabaseError."""
        query = sql.SQL("SELECT {} FROM {} WHERE id = %s AND state = 'making' FOR UPDATE")
        async with self._database.transaction() as connection:
            row = await (await connection.execute(query.format(_COLUMNS, self._table), (copy,))).fetchone()
            if row is None:
                return
            await self._end(connection, copy)
            if again:
                lost = CopyRow(*row)
                await self._insert(connection, lost.account, lost.request, now)

    async def end_all(self, connection: Connection, account: uuid.UUID) -> None:
        """No copy of the account is finished or taken any more. Raises the driver's errors."""
        query = sql.SQL("UPDATE {} SET state = 'failed', opener = NULL WHERE account_id = %s AND state = ANY(%s)")
        await connection.execute(query.format(self._table), (account, [*_UNDER_WAY, "taken"]))

    async def take(self, account: uuid.UUID, copy: uuid.UUID, now: datetime) -> tuple[bytes, int]:
        """The key of a copy for the one who takes it now, and the bytes of its file.

        Raises NoSuchCopyError, DatabaseError, SealError.
        """
        query = sql.SQL(
            "UPDATE {} SET state = 'taken', worked_at = %s WHERE id = %s AND account_id = %s AND opener IS NOT NULL "
            "AND (state = 'ready' OR (state = 'taken' AND worked_at < %s)) AND {} RETURNING opener, size_bytes"
        ).format(self._table, self._in_time)
        async with self._database.transaction() as connection:
            cursor = await connection.execute(query, (now, copy, account, now - STALLED, now))
            row = await cursor.fetchone()
        if row is None:
            raise NoSuchCopyError("there is no such copy to take")
        return self._sealer.open(row[0], opener_place(copy)), row[1]

    async def parts(self, copy: uuid.UUID, opener: bytes, size_bytes: int) -> AsyncIterator[bytes]:
        """The file, from its first byte. Raises PiecesLostError, SealError, DatabaseError."""
        query = sql.SQL(
            "SELECT id, number, part FROM {} WHERE copy_id = %s AND number >= %s AND number < %s ORDER BY number"
        ).format(self._pieces)
        reader, start = PieceReader(opener), 0
        while rows := await self._database.rows(query, (copy, start, start + TOGETHER)):
            start += TOGETHER
            yield b"".join(reader.opened(rows))
        if reader.size != size_bytes:
            raise PiecesLostError("the end of the copy is missing")

    async def taken(self, copy: uuid.UUID) -> None:
        """It went through: nobody opens it any more. Raises DatabaseError."""
        query = sql.SQL("UPDATE {} SET opener = NULL WHERE id = %s AND state = 'taken'").format(self._table)
        async with self._database.transaction() as connection:
            await connection.execute(query, (copy,))

    async def give_back(self, copy: uuid.UUID) -> None:
        """The download broke off: it can be taken again. Raises DatabaseError."""
        query = sql.SQL("UPDATE {} SET state = 'ready' WHERE id = %s AND state = 'taken' AND opener IS NOT NULL")
        async with self._database.transaction() as connection:
            await connection.execute(query.format(self._table), (copy,))

    async def _insert(self, connection: Connection, account: uuid.UUID, request: uuid.UUID, now: datetime) -> uuid.UUID:
        copy = uuid.uuid4()
        query = sql.SQL(
            "INSERT INTO {} (id, account_id, data_request_id, state, rows_done, rows_total, size_bytes, made_at) "
            "VALUES (%s, %s, %s, 'waiting', 0, 0, 0, %s)"
        ).format(self._table)
        await connection.execute(query, (copy, account, request, now))
        return copy

    async def _end(self, connection: Connection, copy: uuid.UUID) -> None:
        query = sql.SQL("UPDATE {} SET state = 'failed', opener = NULL WHERE id = %s").format(self._table)
        await connection.execute(query, (copy,))

    @property
    def _in_time(self) -> sql.Composable:
        """The condition that a copy can be taken at a moment, a placeholder."""
        return sql.SQL("made_at + make_interval(months => {}, days => {}, secs => {}) > %s").format(
            sql.Literal(self.kept.months), sql.Literal(self.kept.days), sql.Literal(self.kept.seconds)
        )


def kept_for(deployment: Deployment) -> Period:
    """How long copies can be taken: as long as they are kept."""
    for rule in deployment.retention.expire:
        if DATA_COPY in rule.records:
            return rule.keep
    return Period("P1D", months=0, days=1, seconds=0)
