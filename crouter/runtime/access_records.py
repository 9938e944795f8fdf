"""Access records: which operator looked at a person's data, or changed it, what it was, and for which reason.

A record is written before anything is read, in a transaction of its own: an access that then fails is recorded, too.
Records are only ever added, which the database's grants hold; they end as the policy says. Their owner sees them.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import ACCESS_RECORD, ACCOUNT
from crouter.runtime.position import Position, is_after
from crouter.runtime.purposes import require_purpose

REASON_CHARS_MIN: Final = 3
REASON_CHARS_MAX: Final = 200
PURPOSE: Final = "accountability"
_FIELDS: Final = ("operator", "accessed", "reason", "occurred_at")


class NoReasonError(ValueError):
    """The reason for an access is missing, or no line of text that can be kept; the message says what it has to be."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who operates the service, and why they look at what follows.

    `name` is how their organisation knows them. Raises NoReasonError.
    """

    name: str
    reason: str

    def __post_init__(self) -> None:
        if not REASON_CHARS_MIN <= len(self.reason.strip()) <= REASON_CHARS_MAX or not self.reason.isprintable():
            raise NoReasonError(f"a reason is one line of {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters")
        assert self.name, "an operator has a name"


@dataclass(frozen=True, slots=True)
class AccessRecord:
    """One access, as the person it was about may see it."""

    id: uuid.UUID
    operator: str
    accessed: str
    reason: str
    occurred_at: datetime


class AccessRecords:
    """The records of all accounts. Methods raise DatabaseError.

    Where the policy declares no such records none are kept.
    """

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._record = next((record for record in deployment.records if record.name == ACCESS_RECORD), None)
        self._database = database
        self._table = database.table(ACCESS_RECORD)

    @property
    def are_kept(self) -> bool:
        """Whether the policy declares them."""
        return self._record is not None

    async def add(self, operator: Operator, account: uuid.UUID, accessed: str) -> None:
        """Records an access that is about to happen. `accessed` says what is looked at or changed, in a few words.

        Raises NoSuchAccountError.
        """
        async with self._database.transaction() as connection:
            await self.add_within(connection, operator, account, accessed)

    async def add_within(self, connection: Connection, operator: Operator, account: uuid.UUID, accessed: str) -> None:
        """The same within the transaction of a change."""
        if self._record is None:
            return
        query = sql.SQL(
            "INSERT INTO {} (id, account_id, operator, accessed, reason, occurred_at) "
            "SELECT %s, id, %s, %s, %s, %s FROM {} WHERE id = %s"
        ).format(self._table, self._database.table(ACCOUNT))
        values = (uuid.uuid4(), operator.name, accessed, operator.reason.strip(), datetime.now(UTC), account)
        if (await connection.execute(query, values)).rowcount == 0:
            raise NoSuchAccountError("no account has that id")

    async def of(self, account: uuid.UUID, limit: int, after: Position | None = None) -> tuple[AccessRecord, ...]:
        """The records of an account, newest first; from `after` on, which is not among them."""
        if self._record is None:
            return ()
        require_purpose(self._record, _FIELDS, PURPOSE)
        query = sql.SQL(
            "SELECT id, operator, accessed, reason, occurred_at FROM {} WHERE account_id = %s AND {} "
            "ORDER BY occurred_at DESC, id DESC LIMIT %s"
        ).format(self._table, is_after(sql.Identifier("occurred_at"), sql.Identifier("id"), after))
        rows = await self._database.rows(query, (account, limit))
        return tuple(AccessRecord(*row) for row in rows)
