"""Leases in the database: extended one account at a time, so that what is leased never exceeds what is there.

What there is to lease is in `spendable`. Amounts are changed by differences, which may meet in any order. Whether a
lease lives is judged by the database's clock alone.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.credit.spendable import spendable_of
from crouter.runtime.database.errors import DatabaseAwayError
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import CREDIT_LEASE

EXPIRES_SECONDS: Final = 600.0
"""How long a lease lives in the database without a word of its process."""
MARGIN_SECONDS: Final = 30.0
"""How much earlier a process stops using it, and how long before its end it can still be renewed."""
CREDIT_CHANNEL: Final = "crouter_credit"
SHARES: Final = 8
"""A portion in advance is at most this part of what an account has left."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What became of a wish. `granted` may be below zero: a lease that had ended came back with less than it had."""

    granted: int | None
    """The difference, or None: not enough for the least."""
    others: int
    """What other processes' leases have left."""
    spendable: int
    """What nobody has leased, before this."""
    is_new: bool
    """Whether there was no such lease: what the process believed to have is gone."""


class LeaseStore:
    """The leases of one process. Methods raise DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database, process: uuid.UUID) -> None:
        self._database = database
        self.process = process
        self.channel = CREDIT_CHANNEL
        names = {"lease": database.table(CREDIT_LEASE)}
        own = sql.SQL("%(id)s::uuid")
        spendable = spendable_of(deployment, database, sql.SQL("%(account)s::uuid"), but=own)
        self._lock = spendable.lock
        self._state = sql.SQL(
            "SELECT {unreserved}, {leased}, own.remaining_nanousd, own.expires_at > clock_timestamp() "
            "FROM (SELECT 1) AS one LEFT JOIN {lease} AS own ON own.id = {own}"
        ).format(unreserved=spendable.unreserved, leased=spendable.leased, own=own, **names)
        self._change = sql.SQL(
            "INSERT INTO {lease} AS l (id, account_id, process_id, remaining_nanousd, expires_at) "
            "VALUES (%s, %s, %s, %s, clock_timestamp() + %s) ON CONFLICT (id) DO UPDATE "
            "SET remaining_nanousd = l.remaining_nanousd + excluded.remaining_nanousd, expires_at = excluded.expires_at"
        ).format(**names)
        self._prepare(names)

    def _prepare(self, names: Mapping[str, sql.Identifier]) -> None:
        """The statements that are the same whatever is leased."""
        self._give_back = sql.SQL("UPDATE {lease} SET remaining_nanousd = remaining_nanousd - %s WHERE id = %s").format(
            **names
        )
        self._empty = sql.SQL("UPDATE {lease} SET remaining_nanousd = 0 WHERE id = ANY(%s)").format(**names)
        self._empty_all = sql.SQL(
            "UPDATE {lease} SET remaining_nanousd = 0 WHERE process_id = %s AND remaining_nanousd <> 0"
        ).format(**names)
        self._renew = sql.SQL(
            "UPDATE {lease} SET expires_at = clock_timestamp() + %s WHERE id IN "
            "(SELECT id FROM {lease} WHERE id = ANY(%s) ORDER BY id FOR UPDATE) "
            "AND expires_at > clock_timestamp() + %s RETURNING id"
        ).format(**names)

    async def extend(self, lease: uuid.UUID, account: uuid.UUID, least: int, wanted: int, portion: int) -> Extension:
        """Adds at least `least` to a lease, up to `wanted` where there is so much, and then up to `portion` more.

        Of what is then left, the portion is a share only: other processes need some, too.
        """
        lifetime = timedelta(seconds=EXPIRES_SECONDS)

        async def write(connection: Connection) -> Extension:
            once.require_first()
            await connection.execute(self._lock, (str(account),))
            cursor = await connection.execute(self._state, self._asked(lease, account))
            row = await cursor.fetchone()
            assert row is not None, "a select without a condition has a row"
            balance, others, left, lives = row
            own = left or 0
            counted = max(0, own) if lives else 0
            spendable = balance - others - counted
            room = spendable + counted - own
            is_new = left is None
            if max(0, own + least) - counted > max(0, spendable):
                return Extension(None, others, spendable, is_new)
            needed = max(least, min(wanted, room))
            granted = needed + max(0, min(portion, (room - needed) // SHARES))
            once.begin()
            await connection.execute(self._change, self._changed(lease, account, granted, lifetime))
            return Extension(granted, others, spendable, is_new)

        once = _Once()
        return await self._database.repeatable(write)

    async def renew(self, leases: Sequence[uuid.UUID]) -> frozenset[uuid.UUID]:
        """Prolongs those that live; gives them."""
        lifetime, margin = timedelta(seconds=EXPIRES_SECONDS), timedelta(seconds=MARGIN_SECONDS / 2)

        async def write(connection: Connection) -> frozenset[uuid.UUID]:
            cursor = await connection.execute(self._renew, (lifetime, list(leases), margin))
            return frozenset(row[0] for row in await cursor.fetchall())

        return await self._database.repeatable(write)

    async def give_back(self, lease: uuid.UUID, amount: int) -> None:
        """Takes an amount off a lease."""

        async def write(connection: Connection) -> None:
            once.require_first()
            once.begin()
            await connection.execute(self._give_back, (amount, lease))

        once = _Once()
        await self._database.repeatable(write)

    async def empty(self, leases: Sequence[uuid.UUID]) -> None:
        """Ends leases on which nothing runs."""

        async def write(connection: Connection) -> None:
            await connection.execute(self._empty, (list(leases),))

        await self._database.repeatable(write)

    async def empty_all(self, process: uuid.UUID) -> None:
        """Ends every lease of a process that has nothing left to ship."""

        async def write(connection: Connection) -> None:
            await connection.execute(self._empty_all, (process,))

        await self._database.repeatable(write)

    async def require(self) -> None:
        """Returns if the database answers."""
        await self._database.rows("SELECT 1")

    async def ask_back(self, account: uuid.UUID) -> None:
        """Asks the other processes for what they do not use of an account's credit."""

        async def write(connection: Connection) -> None:
            await connection.execute("SELECT pg_notify(%s, %s)", (self.channel, f"{account} {self.process}"))

        await self._database.repeatable(write)

    def _asked(self, lease: uuid.UUID, account: uuid.UUID) -> Mapping[str, object]:
        """The parameters of the statement that reads what there is."""
        return {"account": account, "id": lease}

    def _changed(self, lease: uuid.UUID, account: uuid.UUID, granted: int, lifetime: timedelta) -> Sequence[object]:
        """The parameters of the statement that makes or changes a lease."""
        return (lease, account, self.process, granted, lifetime)


class _Once:
    """A transaction that adds to what is there may be begun again, but not after its change was on the way."""

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        self._begun = True

    def require_first(self) -> None:
        if self._begun:
            raise DatabaseAwayError
