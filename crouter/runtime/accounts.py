"""Accounts and their balances. A balance is the sum of the account's ledger entries, at every read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Erase
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import ACCOUNT, LEDGER
from crouter.runtime.purposes import PurposeReader, require_purpose

CreditKind = Literal["grant", "top_up", "refund"]


class AccountExistsError(Exception):
    """There is an account with that e-mail address."""


class NoSuchAccountError(Exception):
    """No account has that id, or none in the state that was asked for."""


class NoDeletionRuleError(Exception):
    """The policy declares no rule by which an account is deleted."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """What an operator sees of an account: nothing that names a person. `balance_nanousd` is the sum of its ledger."""

    id: uuid.UUID
    created_at: datetime
    balance_nanousd: int
    deletion_requested_at: datetime | None


class Accounts:
    """Makes and finds accounts, and credits them."""

    LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('crouter account'))"
    """Held while an account is made: the table itself does not forbid equal addresses."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._deployment = deployment
        self._database = database
        self._reader = PurposeReader(deployment, database)

    async def create(self, email: str, name: str, *, account: uuid.UUID | None = None, **further: str) -> uuid.UUID:
        """A new account with the identity fields that the policy declares; others are not taken.

        `account` is the subject of the identity that signs in to it; without one nobody does. A declared field that was
        not told is stored empty. Raises AccountExistsError, DatabaseError.
        """
        account = account or uuid.uuid4()
        async with self._database.transaction() as connection:
            await connection.execute(self.LOCK)
            if await self._find(connection, email) is not None:
                raise AccountExistsError("there is an account with that e-mail address")
            await self.insert(connection, account, email=email, name=name, **further)
        return account

    async def insert(self, connection: Connection, account: uuid.UUID, **told: str) -> None:
        """Writes a new account inside the caller's transaction, which holds LOCK. Raises DatabaseError."""
        row: dict[str, object] = {"id": account, "created_at": datetime.now(UTC)}
        for field in self._deployment.record(ACCOUNT).fields:
            if field.source == "identity" and field.personal:
                row[field.name] = told.get(field.name, "") if field.required else told.get(field.name)
        query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            self._database.table(ACCOUNT),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        )
        await connection.execute(query, tuple(row.values()))

    async def find(self, email: str) -> uuid.UUID | None:
        """The account that signs in with that address, or None. Raises DatabaseError."""
        async with self._database.transaction() as connection:
            return await self._find(connection, email)

    async def credit(self, account: uuid.UUID, amount_nanousd: int, kind: CreditKind = "grant") -> uuid.UUID:
        """Adds a ledger entry; gives its id. Raises NoSuchAccountError, DatabaseError."""
        entry = uuid.uuid4()
        query = sql.SQL(
            "INSERT INTO {} (id, account_id, kind, amount_nanousd, occurred_at) VALUES (%s, %s, %s, %s, %s)"
        ).format(self._database.table(LEDGER))
        async with self._database.transaction() as connection:
            await self._require(connection, account)
            await connection.execute(query, (entry, account, kind, amount_nanousd, datetime.now(UTC)))
        return entry

    async def list(self) -> Sequence[AccountState]:
        """Every account that is not erased, oldest first. Raises DatabaseError."""
        rule = self._deletion_rule()
        query = sql.SQL(
            "SELECT a.id, a.created_at, coalesce(sum(l.amount_nanousd), 0)::bigint, a.{asked} FROM {accounts} a "
            "LEFT JOIN {ledger} l ON l.account_id = a.id "
            "WHERE a.{erased} IS NULL GROUP BY a.id ORDER BY a.created_at, a.id"
        ).format(
            accounts=self._database.table(ACCOUNT),
            ledger=self._database.table(LEDGER),
            asked=sql.Identifier(rule.time_column),
            erased=sql.Identifier(rule.erased_column),
        )
        return [AccountState(*row) for row in await self._database.rows(query)]

    async def request_deletion(self, account: uuid.UUID) -> datetime:
        """Starts the clock of a deletion; the retention job carries it out. A second request changes nothing.

        Gives the moment from which the clock runs. Raises NoSuchAccountError, NoDeletionRuleError, DatabaseError.
        """
        rule = self._deletion_rule()
        query = sql.SQL(
            "UPDATE {accounts} SET {asked} = coalesce({asked}, %s) WHERE id = %s AND {erased} IS NULL RETURNING {asked}"
        )
        return await self._mark(query, rule, (datetime.now(UTC), account))

    async def take_back_deletion(self, account: uuid.UUID) -> None:
        """Stops the clock, as long as the deletion is not carried out.

        Raises NoSuchAccountError, NoDeletionRuleError, DatabaseError.
        """
        rule = self._deletion_rule()
        query = sql.SQL(
            "UPDATE {accounts} SET {asked} = NULL "
            "WHERE id = %s AND {erased} IS NULL AND {asked} IS NOT NULL RETURNING created_at"
        )
        await self._mark(query, rule, (account,))

    async def _mark(self, query: sql.SQL, rule: Erase, values: tuple[object, ...]) -> datetime:
        statement = query.format(
            accounts=self._database.table(ACCOUNT),
            asked=sql.Identifier(rule.time_column),
            erased=sql.Identifier(rule.erased_column),
        )
        async with self._database.transaction() as connection:
            row = await (await connection.execute(statement, values)).fetchone()
            if row is None:
                raise NoSuchAccountError("no account has that id, or none in that state")
            moment: datetime = row[0]
            return moment

    async def _require(self, connection: Connection, account: uuid.UUID) -> None:
        query = sql.SQL("SELECT 1 FROM {} WHERE id = %s").format(self._database.table(ACCOUNT))
        if await (await connection.execute(query, (account,))).fetchone() is None:
            raise NoSuchAccountError("no account has that id")

    def _deletion_rule(self) -> Erase:
        for rule in self._deployment.retention.erase:
            if rule.owner == ACCOUNT:
                return rule
        raise NoDeletionRuleError("the policy declares no rule by which an account is deleted")

    async def balance(self, account: uuid.UUID, purpose: str = "billing") -> int:
        """Nanodollars. Raises PurposeRefusedError, DatabaseError."""
        return await self._reader.total(LEDGER, "amount_nanousd", purpose, owner=account)

    async def _find(self, connection: Connection, email: str) -> uuid.UUID | None:
        require_purpose(self._deployment.record(ACCOUNT), ("email",), "authentication")
        query = sql.SQL("SELECT a.id FROM {} a WHERE lower(a.email) = lower(%s) AND {}").format(
            self._database.table(ACCOUNT), is_live(self._deployment, "a")
        )
        cursor = await connection.execute(query, (email,))
        row = await cursor.fetchone()
        return row[0] if row else None


def is_live(deployment: Deployment, alias: str) -> sql.Composable:
    """The condition that an account, under `alias` in a statement, is not being deleted and not erased."""
    columns = [
        column
        for rule in deployment.retention.erase
        if rule.owner == ACCOUNT
        for column in (rule.time_column, rule.erased_column)
    ]
    tests = [sql.SQL("{} IS NULL").format(sql.Identifier(alias, column)) for column in dict.fromkeys(columns)]
    return sql.SQL(" AND ").join(tests) if tests else sql.SQL("true")


def is_erased(deployment: Deployment, alias: str) -> sql.Composable:
    """The condition that the personal data of an account, under `alias` in a statement, is gone."""
    columns = [rule.erased_column for rule in deployment.retention.erase if rule.owner == ACCOUNT]
    tests = [sql.SQL("{} IS NOT NULL").format(sql.Identifier(alias, column)) for column in dict.fromkeys(columns)]
    return sql.SQL(" OR ").join(tests) if tests else sql.SQL("false")
