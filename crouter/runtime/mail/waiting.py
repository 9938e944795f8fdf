"""The outbox as delivery sees it: claims what is due, and writes down what became of it.

A claim is a promise not to send a mail twice: it moves the next attempt away by `CLAIM`, in a transaction of its own,
before anything is sent. Whoever dies afterwards leaves a mail that is due again then. Rows that another one claims at
the same moment are passed over.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.names import OUTBOX

CLAIM: Final = timedelta(minutes=10)
CLAIMED_MAX: Final = 200

End = Literal["sent", "dropped", "parked"]


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail to be sent. `attempts` counts this one, too."""

    id: uuid.UUID
    account: uuid.UUID
    template: str
    words: dict[str, str]
    created_at: datetime
    attempts: int


class WaitingMails:
    """Every method is a transaction of its own and raises DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._database = database
        self._table = database.table(OUTBOX)
        assert any(record.name == OUTBOX for record in deployment.records), "mails are declared with an outbox"

    async def claim(self, now: datetime, count: int = CLAIMED_MAX) -> list[WaitingMail]:
        """Up to `count` mails that are due, the longest due first; they are the caller's for the time of a claim."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(_CLAIM.format(self._table, self._table), (now, count, now + CLAIM))
            rows = await cursor.fetchall()
        return [WaitingMail(*row[1:]) for row in sorted(rows, key=lambda row: (row[0], row[1]))]

    async def end(self, mail: uuid.UUID, state: End, error: str) -> None:
        """The mail was sent, or is not tried again."""
        await self._execute(_END, (state, error or None, mail))

    async def again(self, mail: uuid.UUID, at: datetime, error: str) -> None:
        """The mail is tried again at that moment."""
        await self._execute(_AGAIN, (at, error, mail))

    async def give_back(self, mails: Sequence[WaitingMail], at: datetime, error: str = "") -> None:
        """Mails that were not tried after all are due at that moment, and no attempt is counted."""
        if mails:
            await self._execute(_GIVE_BACK, (at, error or None, [mail.id for mail in mails]))

    async def _execute(self, statement: sql.SQL, values: tuple[object, ...]) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(statement.format(self._table), values)


_CLAIM: Final = sql.SQL(
    "WITH due AS (SELECT id, next_at FROM {} WHERE state = 'waiting' AND next_at <= %s "
    "ORDER BY next_at, id LIMIT %s FOR UPDATE SKIP LOCKED) "
    "UPDATE {} AS mail SET attempts = mail.attempts + 1, next_at = %s FROM due WHERE mail.id = due.id "
    'RETURNING due.next_at, mail.id, mail.account_id, mail.template, mail."values", mail.created_at, mail.attempts'
)
# A mail whose account was erased meanwhile is gone, and none of these finds it.
_END: Final = sql.SQL("UPDATE {} SET state = %s, error = %s WHERE id = %s AND state = 'waiting'")
_AGAIN: Final = sql.SQL("UPDATE {} SET next_at = %s, error = %s WHERE id = %s AND state = 'waiting'")
_GIVE_BACK: Final = sql.SQL(
    "UPDATE {} SET attempts = attempts - 1, next_at = %s, error = coalesce(%s, error) "
    "WHERE id = ANY(%s) AND state = 'waiting'"
)
