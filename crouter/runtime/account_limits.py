"""Limits that an account has of its own: of requests and tokens for each of its keys, and of spending in a month.

Where an account has none, those of the policy hold, and spending has no limit but the balance. A change is told to
running services by NOTIFY, as that of a key is. Counting against the limits is `crouter.runtime.limits` and
`crouter.runtime.spending`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.traffic import Limits
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.keys import tell_of_key, tell_of_limit
from crouter.runtime.names import ACCOUNT, ACCOUNT_LIMITS, API_KEY

LimitName = Literal[
    "requests_per_minute",
    "requests_per_hour",
    "requests_per_day",
    "input_tokens_per_minute",
    "output_tokens_per_minute",
    "concurrent_requests",
]
LIMIT_NAMES: Final[tuple[LimitName, ...]] = get_args(LimitName)
MONTH_LIMIT: Final = "month_limit_nanousd"
LIMIT_MAX: Final = 1_000_000_000


class NoLimitsError(Exception):
    """The policy declares no limits of an account's own."""


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What an account has of its own: None where the policy's holds, or, for spending, where there is no limit."""

    own: Mapping[LimitName, int | None]
    month_limit_nanousd: int | None

    def over(self, declared: Limits) -> Limits:
        """The limits that hold for each key of the account."""
        return limits_over(declared, self.own)


class LimitStore:
    """The limits of all accounts. Methods raise DatabaseError, and NoLimitsError where the policy declares none."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._database = database
        self._table = database.table(ACCOUNT_LIMITS)
        self._accounts, self._keys = database.table(ACCOUNT), database.table(API_KEY)
        self._is_declared = any(record.name == ACCOUNT_LIMITS for record in deployment.records)
        self._columns = (*LIMIT_NAMES, MONTH_LIMIT)

    async def of(self, account: uuid.UUID) -> AccountLimits:
        """The limits of an account; all None for one that has none of its own."""
        self._require()
        query = sql.SQL("SELECT {} FROM {} WHERE account_id = %s").format(
            sql.SQL(", ").join(map(sql.Identifier, self._columns)), self._table
        )
        rows = await self._database.rows(query, (account,))
        *own, month = rows[0] if rows else (None,) * len(self._columns)
        return AccountLimits(dict(zip(LIMIT_NAMES, own, strict=True)), month)

    async def set(self, account: uuid.UUID, changes: Mapping[LimitName, int | None]) -> None:
        """Sets limits of each key of the account; None gives the policy's back.

        Raises NoSuchAccountError, and ValueError for a number out of range.
        """
        for value in changes.values():
            if value is not None and not 1 <= value <= LIMIT_MAX:
                raise ValueError(f"a limit is from 1 to {LIMIT_MAX}")
        await self._write(account, {str(name): value for name, value in changes.items()})

    async def set_month_limit(self, account: uuid.UUID, nanousd: int | None) -> None:
        """Sets what the account may spend in a calendar month; None is no limit. Raises NoSuchAccountError."""
        await self._write(account, {MONTH_LIMIT: nanousd})
        await tell_of_limit(self._database, account)

    async def _write(self, account: uuid.UUID, changes: Mapping[str, int | None]) -> None:
        self._require()
        if not changes:
            return
        names = sql.SQL(", ").join(map(sql.Identifier, changes))
        query = sql.SQL(
            "INSERT INTO {} AS l (id, account_id, {}) VALUES (%s, %s, {}) ON CONFLICT (id) DO UPDATE SET {}"
        ).format(
            self._table,
            names,
            sql.SQL(", ").join(sql.Placeholder() * len(changes)),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in changes),
        )
        async with self._database.transaction() as connection:
            exists = sql.SQL("SELECT 1 FROM {} WHERE id = %s").format(self._accounts)
            if await (await connection.execute(exists, (account,))).fetchone() is None:
                raise NoSuchAccountError("no account has that id")
            await connection.execute(query, (uuid.uuid5(account, ACCOUNT_LIMITS), account, *changes.values()))
            await self._tell(connection, account)

    async def _tell(self, connection: Connection, account: uuid.UUID) -> None:
        query = sql.SQL(
            "SELECT id FROM {} WHERE account_id = %s AND (revoked_at IS NULL OR revoked_at > now())"
        ).format(self._keys)
        for (key,) in await (await connection.execute(query, (account,))).fetchall():
            await tell_of_key(connection, key)

    def _require(self) -> None:
        if not self._is_declared:
            raise NoLimitsError("the policy declares no limits of an account's own")


def limits_over(declared: Limits, own: Mapping[LimitName, int | None]) -> Limits:
    """The declared limits with those that an account has of its own."""
    return replace(declared, **{name: value for name, value in own.items() if value is not None})
