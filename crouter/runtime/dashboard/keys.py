"""What an account's keys are called where its usage is told by key."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.dashboard.usage_reader import PURPOSE
from crouter.runtime.database.pool import Database
from crouter.runtime.names import API_KEY
from crouter.runtime.purposes import owner_field, require_purpose

LABEL: Final = "label"


@dataclass(frozen=True, slots=True)
class KeyName:
    """One key, also one that has ended. `shown` tells it from the others."""

    id: uuid.UUID
    shown: str
    ends_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        return self.ends_at is None or self.ends_at > now


class KeyNames:
    """Reads the names of keys."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises PurposeRefusedError."""
        record = deployment.record(API_KEY)
        has_labels = LABEL in record.field_names
        require_purpose(record, (LABEL,) if has_labels else (), PURPOSE)
        self._database = database
        self._query = sql.SQL(
            "SELECT id, last_four, revoked_at, {} FROM {} WHERE {} = %s ORDER BY created_at DESC, id"
        ).format(
            sql.Identifier(LABEL) if has_labels else sql.SQL("NULL"),
            database.table(API_KEY),
            sql.Identifier(owner_field(record)),
        )

    async def of(self, account: uuid.UUID) -> tuple[KeyName, ...]:
        """The keys of an account, the newest first. Raises DatabaseError."""
        rows = await self._database.rows(self._query, (account,))
        return tuple(KeyName(key, _shown(last_four, label), ends_at) for key, last_four, ends_at, label in rows)


def _shown(last_four: str, label: str | None) -> str:
    return f"{label} (…{last_four})" if label else f"…{last_four}"
