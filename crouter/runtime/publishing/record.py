"""The record of published versions: when each was published, and when everybody had been told of it."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.names import PUBLISHED_VERSION

_NAMES: Final = uuid.UUID("5f1f0b8e-6a52-5d0e-8a55-6f2f8c1d0a37")


@dataclass(frozen=True, slots=True)
class Published:
    """One published version. `announced_at` is None until everybody has been told, or nobody has to be."""

    name: str
    policy_digest: str
    effective_at: datetime
    published_at: datetime
    announced_at: datetime | None


class PublishedVersions:
    """The record in the database. Every method raises DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._database = database
        self._table = database.table(PUBLISHED_VERSION)
        self.is_declared = any(record.name == PUBLISHED_VERSION for record in deployment.records)

    async def find(self, name: str) -> Published | None:
        """The version of that name, None if it was never published here."""
        rows = await self._database.rows(_FIND.format(self._table), (name,))
        return Published(*rows[0]) if rows else None

    async def publish(self, name: str, policy_digest: str, effective_at: datetime, now: datetime) -> None:
        """Record a version. Doing it again changes nothing."""
        async with self._database.transaction() as connection:
            await connection.execute(
                _PUBLISH.format(self._table), (uuid.uuid5(_NAMES, name), name, policy_digest, effective_at, now)
            )

    async def announced(self, name: str, now: datetime) -> None:
        """Record that everybody has been told. The first moment stays."""
        async with self._database.transaction() as connection:
            await connection.execute(_ANNOUNCED.format(self._table), (now, name))


_FIND: Final = sql.SQL("SELECT name, policy_digest, effective_at, published_at, announced_at FROM {} WHERE name = %s")
_PUBLISH: Final = sql.SQL(
    "INSERT INTO {} (id, name, policy_digest, effective_at, published_at) VALUES (%s, %s, %s, %s, %s) "
    "ON CONFLICT (id) DO NOTHING"
)
_ANNOUNCED: Final = sql.SQL("UPDATE {} SET announced_at = coalesce(announced_at, %s) WHERE name = %s")
