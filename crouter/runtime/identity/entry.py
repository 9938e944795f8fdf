"""Which account somebody comes to by signing in: the one that has the identity's subject as its id, or a new one.

An e-mail address never leads to an account. Where another account has the address already - made by the operator, say,
or by an identity that is gone - nobody gets in, and a person has to sort it out.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.identity.provider import Identity
from crouter.runtime.names import ACCOUNT
from crouter.runtime.purposes import require_purpose

Closed = Literal["erased", "address_taken"]


@dataclass(frozen=True, slots=True)
class Entered:
    """The account is open."""

    account: uuid.UUID
    is_new: bool


@dataclass(frozen=True, slots=True)
class Leaving:
    """The account's deletion was asked for at that moment, and is not carried out yet."""

    account: uuid.UUID
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """Nobody gets in."""

    reason: Closed


class Entry:
    """Finds or makes the account of an identity."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._database = database
        self._accounts = Accounts(deployment, database)
        self._account = deployment.record(ACCOUNT)
        self._rule = _deletion_rule(deployment)

    async def of(self, identity: Identity) -> Entered | Leaving | Refused:
        """Where the identity leads. What it tells is stored once, when its account is made. Raises DatabaseError."""
        async with self._database.transaction() as connection:
            # Two tabs at once, and whoever else makes accounts.
            await connection.execute(Accounts.LOCK)
            found = await self._found(connection, identity.subject)
            if found is not None:
                return found
            if await self._is_taken(connection, identity.email):
                return Refused("address_taken")
            await self._accounts.insert(connection, identity.subject, email=identity.email, name=identity.name)
            return Entered(identity.subject, is_new=True)

    async def known(self, account: uuid.UUID) -> Entered | Leaving | Refused:
        """What became of an account that somebody can come to without a provider. Raises DatabaseError."""
        async with self._database.transaction() as connection:
            return await self._found(connection, account) or Refused("erased")

    async def take_back(self, account: uuid.UUID) -> None:
        """Takes the deletion of an account back. Raises NoSuchAccountError, DatabaseError."""
        await self._accounts.take_back_deletion(account)

    async def _found(self, connection: Connection, account: uuid.UUID) -> Entered | Leaving | Refused | None:
        ends = (self._rule.time_column, self._rule.erased_column) if self._rule is not None else ()
        query = sql.SQL("SELECT {} FROM {} WHERE id = %s").format(
            sql.SQL(", ").join([sql.Identifier("id"), *map(sql.Identifier, ends)]), self._database.table(ACCOUNT)
        )
        row = await (await connection.execute(query, (account,))).fetchone()
        if row is None:
            return None
        asked_at, erased_at = row[1:] if ends else (None, None)
        if erased_at is not None:
            return Refused("erased")
        return Entered(account, is_new=False) if asked_at is None else Leaving(account, asked_at)

    async def _is_taken(self, connection: Connection, email: str) -> bool:
        require_purpose(self._account, ("email",), "authentication")
        # One that is being deleted counts: its owner may take that back. An erased one has no address.
        query = sql.SQL("SELECT 1 FROM {} WHERE lower(email) = lower(%s) LIMIT 1").format(self._database.table(ACCOUNT))
        return await (await connection.execute(query, (email,))).fetchone() is not None


def _deletion_rule(deployment: Deployment) -> Erase | None:
    return next((rule for rule in deployment.retention.erase if rule.owner == ACCOUNT), None)
