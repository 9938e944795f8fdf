"""Posts entries and moves money between the operator's accounts, each once for its id, in the caller's transaction.

An entry of the ledger changes what one customer has. Its other side is written by the database in the same statement
(`crouter/plan/books.py`), whoever writes the entry, so nothing here can leave the books out of balance. Charges of
requests are posted in bulk by `crouter.runtime.usage`. Amounts are nanodollars.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.ledger.trial import TrialBalance, read_trial_balance
from crouter.runtime.names import BOOK, LEDGER
from crouter.runtime.purposes import PurposeReader, require_purpose

EntryKind = Literal["grant", "top_up", "charge", "refund", "dispute"]
BookAccount = Literal[
    "promotions", "stripe_clearing", "revenue", "processor_fees", "refunds_payable", "disputes", "unclaimed"
]
TransferKind = Literal["fee", "payout", "unclaimed", "withheld"]

_NAMES: Final = uuid.UUID("c3a5dbb0-7f42-5d0e-9b8a-6a1f5be3f0d1")


class PostingConflictError(Exception):
    """There is an entry of that id already, and it says something else."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry, or the charges of one day. `balance_nanousd` is what the account had after it."""

    kind: str
    amount_nanousd: int
    occurred_at: datetime
    entries: int
    balance_nanousd: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of account; `opening_nanousd` is what the account had before it."""

    opening_nanousd: int
    lines: tuple[StatementLine, ...]

    @property
    def closing_nanousd(self) -> int:
        return self.lines[-1].balance_nanousd if self.lines else self.opening_nanousd


def entry_id(*words: str) -> uuid.UUID:
    """The id of what is posted for something: the same words always give the same one."""
    return uuid.uuid5(_NAMES, "\n".join(words))


class Ledger:
    """The books of one deployment."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._deployment = deployment
        self._database = database
        self._reader = PurposeReader(deployment, database)
        self._post = sql.SQL(
            "INSERT INTO {} (id, account_id, kind, amount_nanousd, occurred_at) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING"
        ).format(database.table(LEDGER))
        self._posted = sql.SQL("SELECT account_id, kind, amount_nanousd FROM {} WHERE id = %s").format(
            database.table(LEDGER)
        )
        self._move = sql.SQL(
            "INSERT INTO {} (id, kind, debit, credit, amount_nanousd, occurred_at) VALUES (%s, %s, %s, %s, %s, %s) "
            "ON CONFLICT DO NOTHING"
        ).format(database.table(BOOK))
        self._moved = sql.SQL("SELECT kind, debit, credit, amount_nanousd FROM {} WHERE id = %s").format(
            database.table(BOOK)
        )

    async def post(
        self,
        connection: Connection,
        account: uuid.UUID,
        kind: EntryKind,
        amount_nanousd: int,
        *,
        id: uuid.UUID,  # noqa: A002 - the column's name
        occurred_at: datetime | None = None,
    ) -> bool:
        """Adds an entry, once for its id; whether it is new. The amount is what the customer's balance changes by.

        Raises PostingConflictError, DatabaseError.
        """
        values = (id, account, kind, amount_nanousd, occurred_at or datetime.now(UTC))
        if (await connection.execute(self._post, values)).rowcount:
            return True
        row = await (await connection.execute(self._posted, (id,))).fetchone()
        if row != (account, kind, amount_nanousd):
            raise PostingConflictError("there is an entry of that id, and it says something else")
        return False

    async def move(
        self,
        connection: Connection,
        kind: TransferKind,
        amount_nanousd: int,
        *,
        debit: BookAccount,
        credit: BookAccount,
        id: uuid.UUID,  # noqa: A002 - the column's name
    ) -> bool:
        """Moves an amount between two accounts of the operator's, once for its id; whether it is new.

        Raises PostingConflictError, DatabaseError.
        """
        values = (id, kind, debit, credit, amount_nanousd, datetime.now(UTC))
        if (await connection.execute(self._move, values)).rowcount:
            return True
        row = await (await connection.execute(self._moved, (id,))).fetchone()
        if row != (kind, debit, credit, amount_nanousd):
            raise PostingConflictError("there is a movement of that id, and it says something else")
        return False

    async def balance(self, account: uuid.UUID, purpose: str = "billing") -> int:
        """The sum of the account's entries. Raises PurposeRefusedError, DatabaseError."""
        return await self._reader.total(LEDGER, "amount_nanousd", purpose, owner=account)

    async def balance_in(self, connection: Connection, account: uuid.UUID) -> int:
        """The sum of the account's entries as the caller's transaction sees them. Raises DatabaseError."""
        query = sql.SQL("SELECT coalesce(sum(amount_nanousd), 0)::bigint FROM {} WHERE account_id = %s").format(
            self._database.table(LEDGER)
        )
        row = await (await connection.execute(query, (account,))).fetchone()
        assert row is not None, "a sum has a row"
        return int(row[0])

    async def trial_balance(self) -> TrialBalance:
        """What every account of the books holds. Raises DatabaseError."""
        return await read_trial_balance(self._database)

    async def statement(self, account: uuid.UUID, start: datetime, end: datetime) -> Statement:
        """What changed the balance from `start` until before `end`, oldest first; charges are one line for each day.

        Raises PurposeRefusedError, DatabaseError.
        """
        require_purpose(self._deployment.record(LEDGER), ("amount_nanousd", "occurred_at"), "dashboard")
        query = sql.SQL(
            "SELECT 'before', NULL, coalesce(sum(amount_nanousd), 0)::bigint, count(*) FROM {ledger} "
            "WHERE account_id = %(account)s AND occurred_at < %(start)s "
            "UNION ALL SELECT kind, max(occurred_at), sum(amount_nanousd)::bigint, count(*) FROM {ledger} "
            "WHERE account_id = %(account)s AND occurred_at >= %(start)s AND occurred_at < %(end)s "
            "GROUP BY kind, "
            "CASE WHEN kind = 'charge' THEN date_trunc('day', occurred_at, 'UTC')::text ELSE id::text END "
            "ORDER BY 2 NULLS FIRST"
        ).format(ledger=self._database.table(LEDGER))

        async def read(connection: Connection) -> list[tuple[Any, ...]]:
            cursor = await connection.execute(query, {"account": account, "start": start, "end": end})
            return await cursor.fetchall()

        first, *rows = await self._database.repeatable(read)
        balance = opening = first[2]
        lines = []
        for kind, occurred_at, amount, entries in rows:
            balance += amount
            lines.append(StatementLine(kind, amount, occurred_at, entries, balance))
        return Statement(opening, tuple(lines))
