"""How much of its rate limits each key of an account has used, from what was recorded.

Requests under way and requests that were refused are not in it: a limit is judged elsewhere, at once, and this only
shows about where a key stands, in whatever process or node it was used.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.dashboard.usage_reader import PURPOSE, TIME
from crouter.runtime.database.pool import Database
from crouter.runtime.names import API_KEY, USAGE
from crouter.runtime.purposes import owner_field, reference_field, require_purpose

WINDOWS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
OWN_LIMITS: Final = "account_limits"
"""The record of what an account may do that differs from what everybody may."""


@dataclass(frozen=True, slots=True)
class WindowUse:
    """So many of so many requests, in the last minute, hour or day."""

    name: str
    used: int
    most: int


Use = tuple[WindowUse, ...]


class RateUse:
    """Counts recorded requests by key."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises PurposeRefusedError."""
        record = deployment.record(USAGE)
        require_purpose(record, (TIME,), PURPOSE)
        self._database = database
        self._names = {
            "usage": database.table(USAGE),
            "owner": sql.Identifier(owner_field(record)),
            "key": sql.Identifier(reference_field(record, API_KEY)),
            "time": sql.Identifier(TIME),
        }
        declared = deployment.proxy.limits
        self._declared = {name: getattr(declared, f"requests_per_{name}") for name in WINDOWS}
        self._own = _own_limits(deployment, database)

    async def of(self, account: uuid.UUID, now: datetime, keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Use]:
        """What each of the keys has used. Raises DatabaseError."""
        query = sql.SQL(
            "SELECT {key}, count(*) FILTER (WHERE {time} > %(minute)s), count(*) FILTER (WHERE {time} > %(hour)s), "
            "count(*) FROM {usage} WHERE {owner} = %(account)s AND {time} > %(day)s GROUP BY 1"
        ).format(**self._names)
        since = {name: now - length for name, length in WINDOWS.items()}
        used = {row[0]: row[1:] for row in await self._database.rows(query, {"account": account, **since})}
        most = await self._limits(account)
        return {
            key: tuple(
                WindowUse(name, count, most[name])
                for name, count in zip(WINDOWS, used.get(key, (0, 0, 0)), strict=True)
            )
            for key in keys
        }

    async def _limits(self, account: uuid.UUID) -> dict[str, int]:
        """How many requests each key of the account may make, by window."""
        rows = [] if self._own is None else await self._database.rows(self._own, (account,))
        own = dict(zip(WINDOWS, rows[0], strict=True)) if rows else {}
        return {name: most if own.get(name) is None else own[name] for name, most in self._declared.items()}

    async def last_minute(
        self, accounts: Iterable[uuid.UUID], now: datetime
    ) -> Mapping[uuid.UUID, dict[uuid.UUID, int]]:
        """By account and key, those without a request missing. Raises DatabaseError."""
        query = sql.SQL(
            "SELECT {owner}, {key}, count(*) FROM {usage} WHERE {owner} = ANY(%(accounts)s) AND {time} > %(minute)s "
            "GROUP BY 1, 2"
        ).format(**self._names)
        found: dict[uuid.UUID, dict[uuid.UUID, int]] = {}
        for account, key, count in await self._database.rows(
            query, {"accounts": list(accounts), "minute": now - WINDOWS["minute"]}
        ):
            found.setdefault(account, {})[key] = count
        return found


def _own_limits(deployment: Deployment, database: Database) -> sql.Composed | None:
    """The question for an account's own limits; None where the policy keeps none."""
    record = next((one for one in deployment.records if one.name == OWN_LIMITS), None)
    columns = [f"requests_per_{name}" for name in WINDOWS]
    if record is None or not set(columns) <= set(record.field_names):
        return None
    require_purpose(record, columns, PURPOSE)
    return sql.SQL("SELECT {} FROM {} WHERE {} = %s").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        database.table(OWN_LIMITS),
        sql.Identifier(owner_field(record)),
    )
