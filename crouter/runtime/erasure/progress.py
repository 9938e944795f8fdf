"""Carries deletions on: sees what is gone here, asks each processor until it confirms, and ends what is complete.

Attempts at a processor that fails come again after 1, 2, 4 … minutes, then every six hours, without an end: the step
stays open and visible. What is to be gone here does not wait for anybody.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Hold
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.erasure.deletions import Deletions, deletion_rule, pointer_place
from crouter.runtime.erasure.processors import Erasers, ErasureFailedError
from crouter.runtime.names import ACCOUNT, ERASURE, ERASURE_STEP
from crouter.runtime.retention.references import owner_column
from crouter.runtime.sealing import Sealer, SealError
from crouter.runtime.words import kind_of

FIRST_PAUSE: Final = timedelta(minutes=1)
PAUSE_MAX: Final = timedelta(hours=6)
STEPS_TOGETHER: Final = 100


@dataclass(frozen=True, slots=True)
class Progressed:
    """What one look did. `late` deletions are open although all should be gone by now."""

    erased: int
    asked: int
    failed: int
    ended: int
    late: int


class Progress:
    """Carries all deletions on, each in small transactions; may be killed anywhere and run twice at once."""

    def __init__(
        self,
        deployment: Deployment,
        database: Database,
        sealer: Sealer,
        deletions: Deletions,
        erasers: Erasers,
        *,
        everything_is_set_up: bool,
    ) -> None:
        """In production every processor is; in development one that is not was never sent anything."""
        self._everything_is_set_up = everything_is_set_up
        self._deployment, self._database = deployment, database
        self._rule = deletion_rule(deployment)
        self._sealer = sealer
        self._deletions, self._erasers = deletions, erasers
        self._erasure, self._step = database.table(ERASURE), database.table(ERASURE_STEP)

    async def go_on(self, now: datetime) -> Progressed:
        """Everything that can be done now. Raises DatabaseError."""
        erased = await self._look_here(now)
        asked, failed = await self._ask_processors(now)
        return Progressed(erased, asked, failed, await self._end(now), await self._late(now))

    async def _look_here(self, now: datetime) -> int:
        """Points at what is at processors while the account says it, and notes what is gone."""
        query = sql.SQL("SELECT id, account FROM {} WHERE state = 'waiting' AND account IS NOT NULL").format(
            self._erasure
        )
        erased = 0
        for deletion, account in await self._database.rows(query):
            async with self._database.transaction() as connection:
                if await self._is_erased(connection, account):
                    erased += await self._note(connection, deletion, account, now)
                else:
                    await self._deletions.point(connection, deletion, account)
        return erased

    async def _is_erased(self, connection: Connection, account: uuid.UUID) -> bool:
        query = sql.SQL("SELECT {} IS NOT NULL FROM {} WHERE id = %s").format(
            sql.Identifier(self._rule.erased_column), self._database.table(ACCOUNT)
        )
        row = await (await connection.execute(query, (account,))).fetchone()
        return row is None or bool(row[0])

    async def _note(self, connection: Connection, deletion: uuid.UUID, account: uuid.UUID, now: datetime) -> int:
        until = [await self._held_until(connection, hold, account) for hold in self._rule.holds]
        kept_until = max((moment for moment in until if moment is not None), default=None)
        query = sql.SQL(
            "UPDATE {} SET state = 'erased', account = NULL, erased_at = %s, kept_until = %s "
            "WHERE id = %s AND state = 'waiting'"
        ).format(self._erasure)
        return (await connection.execute(query, (now, kept_until, deletion))).rowcount

    async def _held_until(self, connection: Connection, hold: Hold, account: uuid.UUID) -> datetime | None:
        """When the last row that a law keeps is gone, None if there is none."""
        record, keep = self._deployment.record(hold.record), hold.keep
        is_kind: sql.Composable = sql.SQL("true")
        if hold.kind_column is not None:
            is_kind = sql.SQL("{} = ANY({})").format(sql.Identifier(hold.kind_column), sql.Literal(list(hold.kinds)))
        query = sql.SQL(
            "SELECT max({time} + make_interval(months => {months}, days => {days}, secs => {seconds})) "
            "FROM {table} WHERE {owner} = %s AND {is_kind}"
        ).format(
            time=sql.Identifier(hold.time_column),
            months=sql.Literal(keep.months),
            days=sql.Literal(keep.days),
            seconds=sql.Literal(keep.seconds),
            table=self._database.table(hold.record),
            owner=sql.Identifier(owner_column(record, ACCOUNT)),
            is_kind=is_kind,
        )
        row = await (await connection.execute(query, (account,))).fetchone()
        return row[0] if row is not None else None

    async def _ask_processors(self, now: datetime) -> tuple[int, int]:
        query = sql.SQL(
            "SELECT s.id, s.processor, s.pointer, s.attempts FROM {} s JOIN {} e ON e.id = s.erasure_id "
            "WHERE s.state = 'waiting' AND e.state = 'erased' AND s.next_at <= %s ORDER BY s.next_at LIMIT %s"
        ).format(self._step, self._erasure)
        asked = failed = 0
        for step, processor, pointer, attempts in await self._database.rows(query, (now, STEPS_TOGETHER)):
            asked += 1
            error = await self._asked(step, processor, pointer)
            failed += error is not None
            await self._told(step, attempts + 1, error, now)
        return asked, failed

    async def _asked(self, step: uuid.UUID, processor: str, pointer: bytes) -> str | None:
        """Asks once, outside of any transaction; the kind of failure, or None when the copy is gone."""
        eraser = self._erasers.get(processor)
        if eraser is None:
            return "not_set_up" if self._everything_is_set_up else None
        try:
            await eraser.erase(self._sealer.open(pointer, pointer_place(step)).decode())
        except ErasureFailedError as failure:
            return failure.word
        except SealError as failure:
            return kind_of(failure)
        return None

    async def _told(self, step: uuid.UUID, attempts: int, error: str | None, now: datetime) -> None:
        if error is None:
            change = sql.SQL("state = 'done', pointer = NULL, error = NULL, attempts = %s, ended_at = %s")
            values: tuple[object, ...] = (attempts, now)
        else:
            change = sql.SQL("error = %s, attempts = %s, next_at = %s")
            values = (error, attempts, now + pause_after(attempts))
        query = sql.SQL("UPDATE {} SET {} WHERE id = %s AND state = 'waiting'").format(self._step, change)
        async with self._database.transaction() as connection:
            await connection.execute(query, (*values, step))

    async def _end(self, now: datetime) -> int:
        query = sql.SQL(
            "UPDATE {e} AS e SET state = 'done', ended_at = %s WHERE e.state = 'erased' "
            "AND NOT EXISTS (SELECT FROM {s} s WHERE s.erasure_id = e.id AND s.state = 'waiting')"
        ).format(e=self._erasure, s=self._step)
        async with self._database.transaction() as connection:
            return (await connection.execute(query, (now,))).rowcount

    async def _late(self, now: datetime) -> int:
        query = sql.SQL("SELECT count(*) FROM {} WHERE state IN ('waiting', 'erased') AND due_at <= %s")
        return int((await self._database.rows(query.format(self._erasure), (now,)))[0][0])


def pause_after(attempts: int) -> timedelta:
    """How long until the next attempt."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(FIRST_PAUSE * doubled, PAUSE_MAX)
