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
from crouter.contract.traffic import Limits
from crouter.runtime.dashboard.usage_reader import PURPOSE, TIME
from crouter.runtime.database.pool import Database
from crouter.runtime.names import API_KEY, USAGE
from crouter.runtime.purposes import owner_field, reference_field, require_purpose

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WindowUse:
    """So many of so many requests, in the last minute, hour or day."""

    name: str
    used: int
    most: int


def windows(limits: Limits) -> tuple[tuple[str, timedelta, int], ...]:
    """Name, length and bound of each."""
    return (
        ("minute", MINUTE, limits.requests_per_minute),
        ("hour", HOUR, limits.requests_per_hour),
        ("day", DAY, limits.requests_per_day),
    )


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

    async def of(self, account: uuid.UUID, limits: Limits, now: datetime) -> dict[uuid.UUID, tuple[WindowUse, ...]]:
        """By key, those without a request in the last day missing. Raises DatabaseError."""
        query = sql.SQL(
            "SELECT {key}, count(*) FILTER (WHERE {time} > %(minute)s), count(*) FILTER (WHERE {time} > %(hour)s), "
            "count(*) FROM {usage} WHERE {owner} = %(account)s AND {time} > %(day)s GROUP BY 1"
        ).format(**self._names)
        since = {"minute": now - MINUTE, "hour": now - HOUR, "day": now - DAY}
        rows = await self._database.rows(query, {"account": account, **since})
        return {
            row[0]: tuple(
                WindowUse(name, used, most) for (name, _, most), used in zip(windows(limits), row[1:], strict=True)
            )
            for row in rows
        }

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
            query, {"accounts": list(accounts), "minute": now - MINUTE}
        ):
            found.setdefault(account, {})[key] = count
        return found
