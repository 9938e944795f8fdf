"""The trial balance: what every account of the books holds, and whether all of it together is nothing.

Two sums are compared that are written apart: what the ledger's entries come to, and what the book says of customers.
They differ when an entry was written, changed or taken away behind the database's own triggers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from crouter.runtime.database.pool import Database
from crouter.runtime.names import BOOK, LEDGER

CUSTOMERS: Final = "customers"


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Nanodollars by account, credits less debits. `customers` is the sum of the ledger itself."""

    accounts: Mapping[str, int]

    @property
    def difference_nanousd(self) -> int:
        """The sum of all of them: 0 when every entry has its other side."""
        return sum(self.accounts.values())


async def read_trial_balance(database: Database) -> TrialBalance:
    """One reading of everything, in one statement and so of one moment. Raises DatabaseError."""
    query = sql.SQL(
        "SELECT account, sum(amount)::bigint FROM ("
        "SELECT debit AS account, -sum(amount_nanousd) AS amount FROM {book} WHERE debit <> {customers} GROUP BY debit "
        "UNION ALL "
        "SELECT credit, sum(amount_nanousd) FROM {book} WHERE credit <> {customers} GROUP BY credit "
        "UNION ALL "
        "SELECT {customers}, coalesce(sum(amount_nanousd), 0) FROM {ledger}"
        ") AS sides GROUP BY account ORDER BY account"
    ).format(book=database.table(BOOK), ledger=database.table(LEDGER), customers=sql.Literal(CUSTOMERS))
    return TrialBalance(dict(await database.rows(query)))
