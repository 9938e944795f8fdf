"""Compares the tombstones with the database before the service takes traffic, and deletes anew what a restore undid.

What is compared:
- no file: refused, unless the database holds no account, where the file is begun;
- the database knows of a finished deletion that the file does not have: the file is not the one of this database, or
  was lost: refused;
- the file has a deletion that the database does not know, or knows as not carried out although its grace is over: the
  account is found by its hash and erased, whatever else is due;
- one of the two lacks a line because a process was killed between them: it is added.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import translated
from crouter.runtime.database.pool import Database
from crouter.runtime.erasure.deletions import Deletions, TooLateError, deletion_rule
from crouter.runtime.erasure.tombstones import Tombstone, Tombstones, TombstonesUnusableError
from crouter.runtime.names import ACCOUNT, ERASURE
from crouter.runtime.retention.cutoff import earlier
from crouter.runtime.retention.named import erase_named

ROWS_TOGETHER: Final = 5000


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the comparison did: deletions begun anew, and accounts erased at once."""

    begun: int
    erased: int


@dataclass(frozen=True, slots=True)
class _Known:
    id: uuid.UUID
    account: uuid.UUID | None
    digest: bytes | None
    state: str
    asked_at: datetime


async def remember_deletions(
    deployment: Deployment, database: Database, dsn: str, tombstones: Tombstones, deletions: Deletions, now: datetime
) -> Remembered:
    """Compare, and put right. Raises TombstonesUnusableError, RetentionRefusedError, DatabaseError."""
    comparison = _Comparison(deployment, database, dsn, tombstones, deletions, now)
    return await comparison.carried_out()


class _Comparison:
    def __init__(
        self,
        deployment: Deployment,
        database: Database,
        dsn: str,
        tombstones: Tombstones,
        deletions: Deletions,
        now: datetime,
    ) -> None:
        self._deployment, self._database, self._dsn = deployment, database, dsn
        self._tombstones, self._deletions, self._now = tombstones, deletions, now
        self._rule = deletion_rule(deployment)

    async def carried_out(self) -> Remembered:
        if not self._tombstones.exists:
            await self._begin_file()
        told = self._tombstones.read()
        known = await self._known()
        self._refuse_lost_file(told, known)
        await self._agree(told, known)
        running = {digest: stone.asked_at for digest, stone in told.items() if stone.asked_at is not None}
        # One that was taken back counts as long as the file speaks of that very deletion: its line may have been lost.
        remembered = {
            digest
            for one in known
            for digest in self._digests(one)
            if one.state != "withdrawn" or running.get(digest) == one.asked_at
        }
        undone = await self._accounts_of({digest for digest in running if digest not in remembered})
        for account, digest in undone.items():
            await self._deletions.begin(account, "contact", "no_credit", self._now, since=running[digest])
        return Remembered(len(undone), await self._erase_due())

    async def _begin_file(self) -> None:
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(self._database.table(ACCOUNT))
        if (await self._database.rows(query))[0][0]:
            raise TombstonesUnusableError(
                "CROUTER_TOMBSTONES: there is no such file, and the database holds accounts. If it was restored from a "
                "backup, deletions since then may be undone in it: put the file of tombstones in place. If there never "
                "was one, run `crouter requests begin-tombstones` once"
            )
        self._tombstones.begin()

    async def _known(self) -> list[_Known]:
        query = sql.SQL("SELECT id, account, tombstone, state, asked_at FROM {}").format(self._database.table(ERASURE))
        return [_Known(*row) for row in await self._database.rows(query)]

    def _digests(self, known: _Known) -> tuple[bytes, ...]:
        hashed = self._tombstones.digests(known.account) if known.account is not None else ()
        return (*hashed, *((known.digest,) if known.digest is not None else ()))

    def _refuse_lost_file(self, told: Mapping[bytes, Tombstone], known: list[_Known]) -> None:
        lost = [
            one
            for one in known
            if one.state in ("erased", "done") and one.digest is not None and one.digest not in told
        ]
        if lost:
            raise TombstonesUnusableError(
                f"CROUTER_TOMBSTONES: the database knows of {len(lost)} deletions that the file does not have: it is "
                "not the file of this database. Put the right one in place"
            )

    async def _agree(self, told: Mapping[bytes, Tombstone], known: list[_Known]) -> None:
        """Adds what one of the two lacks because a process ended between them."""
        for one in known:
            if one.state != "waiting" or one.account is None:
                continue
            stones = [told[digest] for digest in self._digests(one) if digest in told]
            if not stones:
                self._tombstones.add(one.account, one.asked_at)
            elif stones[-1].asked_at is None:
                # Taken back after the backup was made.
                try:
                    await self._deletions.take_back(one.id, one.asked_at)
                except TooLateError:
                    continue

    async def _accounts_of(self, digests: set[bytes]) -> dict[uuid.UUID, bytes]:
        """Accounts that are not erased and whose hash is one of these: each id is hashed once."""
        found: dict[uuid.UUID, bytes] = {}
        last = uuid.UUID(int=0)
        query = sql.SQL("SELECT id FROM {} WHERE id > %s AND {} IS NULL ORDER BY id LIMIT %s").format(
            self._database.table(ACCOUNT), sql.Identifier(self._rule.erased_column)
        )
        while digests and (rows := await self._database.rows(query, (last, ROWS_TOGETHER))):
            last = rows[-1][0]
            for (account,) in rows:
                for digest in self._tombstones.digests(account):
                    if digest in digests:
                        found[account] = digest
        return found

    async def _erase_due(self) -> int:
        """Accounts whose deletion runs and whose grace is over: none of them sees traffic again."""
        query = sql.SQL("SELECT id FROM {} WHERE {} <= %s AND {} IS NULL ORDER BY id").format(
            self._database.table(ACCOUNT),
            sql.Identifier(self._rule.time_column),
            sql.Identifier(self._rule.erased_column),
        )
        rows = await self._database.rows(query, (earlier(self._now, self._rule.grace),))
        due = [row[0] for row in rows]
        if due:
            with translated():
                await asyncio.to_thread(erase_named, self._dsn, self._deployment, self._rule, due)
        return len(due)
