"""What an account has, as its owner sees it: the balance, what of it is set aside, and what is left to spend."""

import uuid
from dataclasses import dataclass

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.credit.spendable import spendable_of
from crouter.runtime.database.pool import Database
from crouter.runtime.names import LEDGER
from crouter.runtime.purposes import require_purpose


@dataclass(frozen=True, slots=True)
class Funds:
    """Nanodollars. `unreserved` is the balance less what message batches hold; `leased` is with running processes."""

    balance: int
    unreserved: int
    leased: int

    @property
    def set_aside(self) -> int:
        """For requests and batches under way."""
        return self.balance - self.unreserved + self.leased


class CreditReader:
    """Reads what accounts have. Methods raise PurposeRefusedError, DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._ledger = deployment.record(LEDGER)
        self._database = database
        # Written out into the statement: it is a parameter more than once.
        spendable = spendable_of(deployment, database, sql.SQL("%(account)s::uuid"))
        self._query = sql.SQL(
            "SELECT (SELECT coalesce(sum(amount_nanousd), 0)::bigint FROM {} WHERE account_id = %(account)s::uuid),"
            " {}, {}"
        ).format(database.table(LEDGER), spendable.unreserved, spendable.leased)

    async def funds(self, account: uuid.UUID, purpose: str) -> Funds:
        """What an account has, in one look."""
        require_purpose(self._ledger, ("amount_nanousd",), purpose)
        async with self._database.transaction() as connection:
            row = await (await connection.execute(self._query, {"account": account})).fetchone()
        assert row is not None, "a select without a condition has a row"
        return Funds(*row)
