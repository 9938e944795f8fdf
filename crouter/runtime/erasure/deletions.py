"""Begins and takes back deletions of accounts. From the first moment nothing of the account works any more.

    asked ─► waiting (its grace: can be taken back) ─► erased (here) ─► done (at every processor)
                 └─► withdrawn

One outcome for each thing that can happen meanwhile:
- asked for twice: the second is the first one, with its dates;
- a copy is being made or waits to be taken: it ends, so a copy is taken before;
- a stream runs: it is broken off, and what was reported until then is charged;
- a late record, a late payment: held by the account's row until it is erased, refused afterwards.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from psycopg import sql
from psycopg.rows import TupleRow

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase, Period
from crouter.runtime.accounts import NoDeletionRuleError, NoSuchAccountError
from crouter.runtime.copies.store import CopyStore
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.erasure.links import DeletionLinks
from crouter.runtime.erasure.processors import Pointers, asked_processors
from crouter.runtime.erasure.tombstones import Tombstones
from crouter.runtime.jobs.wake import wake
from crouter.runtime.keys import KEYS_CHANNEL, freed_slot
from crouter.runtime.names import ACCOUNT, API_KEY, ERASURE, ERASURE_STEP
from crouter.runtime.requests import states
from crouter.runtime.requests.calendar import after, last_day
from crouter.runtime.requests.notices import NoNotices, Notices
from crouter.runtime.requests.states import Channel
from crouter.runtime.requests.store import RequestStore
from crouter.runtime.sealing import Place, Sealer

ENDED_CHANNEL: Final = "crouter_account_ended"
"""Every process hears on it which account's streams have to end."""
JOB: Final = "erasures"
"""The job that carries deletions on."""

Credit = Literal["no_credit", "refund", "given_up"]


class TooLateError(Exception):
    """The grace is over: the deletion cannot be taken back."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A deletion that runs. `grace_until` is when it can be taken back no longer, `due_at` when all has to be gone."""

    id: uuid.UUID
    asked_at: datetime
    grace_until: datetime
    due_at: datetime
    is_new: bool


class Deletions:
    """Begins and takes back, and says what runs."""

    def __init__(
        self,
        deployment: Deployment,
        database: Database,
        sealer: Sealer,
        requests: RequestStore,
        copies: CopyStore,
        pointers: Pointers,
        links: DeletionLinks,
        tombstones: Tombstones | None,
        notices: Notices | None = None,
    ) -> None:
        self._deployment, self._database = deployment, database
        self._rule = deletion_rule(deployment)
        self._sealer = sealer
        self._requests, self._copies = requests, copies
        self._pointers = pointers
        self._links = links
        self._tombstones = tombstones
        self._notices = notices or NoNotices()
        self._erasure, self._step = database.table(ERASURE), database.table(ERASURE_STEP)

    async def begin(
        self, account: uuid.UUID, channel: Channel, credit: Credit, now: datetime, *, since: datetime | None = None
    ) -> Begun:
        """Ends the account and starts the clock, at `since` if it ran before.

        A second call changes nothing. The tombstone is on the disk when this returns; were the process killed before
        that, the next look at the file adds it. Raises NoSuchAccountError, TombstonesUnusableError, DatabaseError.
        """
        async with self._database.transaction() as connection:
            asked_at = await self._mark(connection, account, since or now)
            begun = await self._running(connection, account)
            if begun is None:
                await self._requests.open(connection, account, "deletion", channel, now)
                begun = await self._insert(connection, account, asked_at, credit)
                await self._end_what_works(connection, account)
                await wake(connection, JOB)
                values = {
                    "until": last_day(begun.grace_until),
                    "gone_by": last_day(begun.due_at),
                    "page": self._links.page(begun.id),
                }
                await self._notices.tell(connection, account, "deletion_begun", values)
        if self._tombstones is not None:
            self._tombstones.add(account, begun.asked_at)
        return begun

    async def take_back(self, deletion: uuid.UUID, now: datetime) -> None:
        """The account works again, without its keys. Raises TooLateError, NoSuchAccountError, DatabaseError."""
        rule = self._rule
        undo = sql.SQL("UPDATE {} SET {} = NULL WHERE id = %s AND {} IS NULL").format(
            self._database.table(ACCOUNT), sql.Identifier(rule.time_column), sql.Identifier(rule.erased_column)
        )
        async with self._database.transaction() as connection:
            account = await self._lock_waiting(connection, deletion, now)
            if (await connection.execute(undo, (account,))).rowcount != 1:
                raise TooLateError("the deletion was carried out")
            withdraw = sql.SQL("UPDATE {} SET state = 'withdrawn', account = NULL, ended_at = %s WHERE id = %s")
            await connection.execute(withdraw.format(self._erasure), (now, deletion))
            steps = sql.SQL("UPDATE {} SET state = 'withdrawn', pointer = NULL, ended_at = %s WHERE erasure_id = %s")
            await connection.execute(steps.format(self._step), (now, deletion))
            await self._notices.tell(connection, account, "deletion_taken_back", {})
            await self._requests.close_open(
                connection, account, "deletion", lambda request: states.withdrawn(request, now)
            )
        if self._tombstones is not None:
            self._tombstones.add(account, None)

    def grace_until(self, asked_at: datetime) -> datetime:
        """When a deletion that was asked for then can be taken back no longer."""
        return after(asked_at, self._rule.grace)

    async def running(self, account: uuid.UUID) -> Begun | None:
        """The deletion that waits for its grace to end. Raises DatabaseError."""
        async with self._database.transaction() as connection:
            return await self._running(connection, account)

    async def point(self, connection: Connection, deletion: uuid.UUID, account: uuid.UUID) -> None:
        """Find out, as long as the account's rows say it, what each processor knows the person by.

        Raises the driver's errors.
        """
        query = sql.SQL("SELECT id, processor FROM {} WHERE erasure_id = %s AND state <> 'done' FOR UPDATE")
        change = sql.SQL("UPDATE {} SET pointer = %s, state = %s, ended_at = %s WHERE id = %s").format(self._step)
        rows = await (await connection.execute(query.format(self._step), (deletion,))).fetchall()
        for step, name in rows:
            find = self._pointers.get(name)
            pointer = await find(connection, account) if find is not None else None
            if pointer is not None:
                sealed = self._sealer.seal(pointer.encode(), pointer_place(step))
                await connection.execute(change, (sealed, "waiting", None, step))

    async def _mark(self, connection: Connection, account: uuid.UUID, moment: datetime) -> datetime:
        rule = self._rule
        query = sql.SQL(
            "UPDATE {accounts} SET {asked} = coalesce({asked}, %s) WHERE id = %s AND {erased} IS NULL RETURNING {asked}"
        ).format(
            accounts=self._database.table(ACCOUNT),
            asked=sql.Identifier(rule.time_column),
            erased=sql.Identifier(rule.erased_column),
        )
        row = await (await connection.execute(query, (moment, account))).fetchone()
        if row is None:
            raise NoSuchAccountError("no account has that id, or none in that state")
        asked_at: datetime = row[0]
        return asked_at

    async def _running(self, connection: Connection, account: uuid.UUID) -> Begun | None:
        query = sql.SQL("SELECT id, asked_at, {}, due_at FROM {} WHERE account = %s AND state = 'waiting'").format(
            _later("asked_at", self._rule.grace), self._erasure
        )
        row = await (await connection.execute(query, (account,))).fetchone()
        return _begun(row, is_new=False) if row is not None else None

    async def _insert(self, connection: Connection, account: uuid.UUID, asked_at: datetime, credit: Credit) -> Begun:
        deletion = uuid.uuid4()
        query = sql.SQL(
            "INSERT INTO {} AS e (id, account, tombstone, asked_at, due_at, state, credit) "
            "SELECT %s, %s, %s, asked_at, {}, 'waiting', %s FROM (SELECT %s::timestamptz) AS given (asked_at) "
            "RETURNING e.id, e.asked_at, {}, e.due_at"
        ).format(self._erasure, _later("asked_at", self._rule.within), _later("e.asked_at", self._rule.grace))
        digest = self._tombstones.digest(account) if self._tombstones is not None else None
        row = await (await connection.execute(query, (deletion, account, digest, credit, asked_at))).fetchone()
        assert row is not None
        insert = sql.SQL(
            "INSERT INTO {} (id, erasure_id, processor, state, attempts, next_at, asked_at, ended_at) "
            "VALUES (%s, %s, %s, 'nothing_held', 0, %s, %s, %s)"
        ).format(self._step)
        for processor in asked_processors(self._deployment):
            await connection.execute(insert, (uuid.uuid4(), deletion, processor.name, asked_at, asked_at, asked_at))
        await self.point(connection, deletion, account)
        return _begun(row, is_new=True)

    async def _end_what_works(self, connection: Connection, account: uuid.UUID) -> None:
        keys = sql.SQL(
            "UPDATE {} SET revoked_at = now(){} WHERE account_id = %s AND (revoked_at IS NULL OR revoked_at > now()) "
            "RETURNING id"
        ).format(self._database.table(API_KEY), freed_slot(self._deployment.record(API_KEY)))
        for (key,) in await (await connection.execute(keys, (account,))).fetchall():
            await connection.execute("SELECT pg_notify(%s, %s)", (KEYS_CHANNEL, str(key)))
        await self._copies.end_all(connection, account)
        await connection.execute("SELECT pg_notify(%s, %s)", (ENDED_CHANNEL, str(account)))

    async def _lock_waiting(self, connection: Connection, deletion: uuid.UUID, now: datetime) -> uuid.UUID:
        query = sql.SQL("SELECT account, {} FROM {} WHERE id = %s AND state = 'waiting' FOR UPDATE").format(
            _later("asked_at", self._rule.grace), self._erasure
        )
        row = await (await connection.execute(query, (deletion,))).fetchone()
        if row is None or row[0] is None:
            raise NoSuchAccountError("no deletion of that id waits")
        if row[1] <= now:
            raise TooLateError("the time in which the deletion could be taken back is over")
        account: uuid.UUID = row[0]
        return account


def _begun(row: TupleRow, *, is_new: bool) -> Begun:
    deletion, asked_at, grace_until, due_at = row
    return Begun(deletion, asked_at, grace_until, due_at, is_new)


def deletion_rule(deployment: Deployment) -> Erase:
    """The rule by which accounts are deleted. Raises NoDeletionRuleError."""
    for rule in deployment.retention.erase:
        if rule.owner == ACCOUNT:
            return rule
    raise NoDeletionRuleError("the policy declares no rule by which an account is deleted")


def _later(column: str, period: Period) -> sql.Composable:
    """`column` of a statement and a period after it, in UTC, as retention adds."""
    return sql.SQL(
        "({} AT TIME ZONE 'UTC' + make_interval(months => {}, days => {}, secs => {})) AT TIME ZONE 'UTC'"
    ).format(
        sql.Identifier(*column.split(".")),
        sql.Literal(period.months),
        sql.Literal(period.days),
        sql.Literal(period.seconds),
    )


def pointer_place(step: uuid.UUID) -> Place:
    """Where the sealed pointer of a step belongs."""
    return Place(ERASURE_STEP, "pointer", step)
