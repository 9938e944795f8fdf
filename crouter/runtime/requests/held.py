"""What is held about one account in numbers, and the one correction that a person can make alone: the name."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.copies.contents import copied_records, whose
from crouter.runtime.database.pool import Database
from crouter.runtime.names import ACCOUNT
from crouter.runtime.requests import states
from crouter.runtime.requests.store import RequestStore

NAME: Final = "name"
NAME_CHARS_MAX: Final = 200


class NameRefusedError(Exception):
    """The name cannot be kept; the message says why, without it."""


@dataclass(frozen=True, slots=True)
class HeldCategory:
    """A category of data and how many rows of it there are."""

    label: str
    rows: int


class HeldData:
    """Counts and corrects."""

    def __init__(self, deployment: Deployment, database: Database, requests: RequestStore) -> None:
        self._deployment, self._database, self._requests = deployment, database, requests
        self._records = copied_records(deployment)

    @property
    def can_correct_name(self) -> bool:
        """Whether the policy says that the name can be corrected."""
        return f"{ACCOUNT}.{NAME}" in self._deployment.requests.corrected

    async def counts(self, account: uuid.UUID) -> tuple[HeldCategory, ...]:
        """The categories of a copy, in its order. Raises DatabaseError."""
        counts = [
            sql.SQL("(SELECT count(*) FROM {} WHERE {})").format(
                self._database.table(copied.name), whose(self._deployment, copied.record)
            )
            for copied in self._records
        ]
        query = sql.SQL("SELECT {}").format(sql.SQL(", ").join(counts))
        (row,) = await self._database.rows(query, (account,) * len(counts))
        return tuple(HeldCategory(copied.record.label, rows) for copied, rows in zip(self._records, row, strict=True))

    async def correct_name(self, account: uuid.UUID, name: str, now: datetime) -> None:
        """Keep another name; the request for it is answered at once. Raises NameRefusedError, DatabaseError."""
        name = name.strip()
        if not name or len(name) > NAME_CHARS_MAX or not name.isprintable():
            raise NameRefusedError(f"a name has 1 to {NAME_CHARS_MAX} characters on one line")
        query = sql.SQL("UPDATE {} SET {} = %s WHERE id = %s").format(
            self._database.table(ACCOUNT), sql.Identifier(NAME)
        )
        async with self._database.transaction() as connection:
            request = await self._requests.open(connection, account, "correction", "page", now)
            await connection.execute(query, (name, account))
            await self._requests.put(connection, request, lambda found: states.answered(found, now))
