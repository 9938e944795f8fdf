"""An account's balance, and how long it will last if it is spent as it was lately."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.dashboard.usage_reader import CHARGE, PURPOSE, TIME
from crouter.runtime.database.pool import Database
from crouter.runtime.names import LEDGER
from crouter.runtime.purposes import owner_field, require_purpose

PACE_DAYS: Final = 7
LASTS_DAYS_MAX: Final = 365


@dataclass(frozen=True, slots=True)
class Standing:
    """Nanodollars: what is left, and what was spent in the last `days` days. `days` is shorter for a new customer."""

    balance_nanousd: int
    spent_nanousd: int
    days: int

    @property
    def day_nanousd(self) -> int:
        """What a day cost, rounded up: credit is not made to last longer than it does."""
        return -(-self.spent_nanousd // self.days)

    @property
    def lasts_days(self) -> int | None:
        """For how many whole days the balance lasts at that pace; None where nothing was spent."""
        return max(0, self.balance_nanousd) // self.day_nanousd if self.day_nanousd > 0 else None

    @property
    def words(self) -> str:
        """How long the balance will last, in a sentence that promises nothing."""
        if self.balance_nanousd <= 0:
            return "Nothing is left: requests are answered with 402 until there is credit again."
        lasts = self.lasts_days
        if lasts is None:
            return "Nothing was spent lately, so there is no telling how long it will last. It never expires."
        pace = f"the pace of the last {self.days} days" if self.days > 1 else "today’s pace"
        if lasts > LASTS_DAYS_MAX:
            return f"At {pace}, more than a year."
        if lasts < 1:
            return f"At {pace}, less than a day."
        return f"At {pace}, about {lasts} {'day' if lasts == 1 else 'days'}."


class StandingReader:
    """Reads balances for dashboards."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises PurposeRefusedError."""
        ledger = deployment.record(LEDGER)
        require_purpose(ledger, ("amount_nanousd", TIME), PURPOSE)
        self._database = database
        self._names = {"ledger": database.table(LEDGER), "owner": sql.Identifier(owner_field(ledger))}

    async def of(self, account: uuid.UUID, now: datetime) -> Standing:
        """How the account stands. Raises DatabaseError."""
        query = sql.SQL(
            "SELECT coalesce(sum(amount_nanousd), 0)::bigint, "
            "coalesce(-sum(amount_nanousd) FILTER (WHERE kind = {charge} AND occurred_at >= %(since)s), 0)::bigint, "
            "min(occurred_at) FILTER (WHERE kind = {charge} AND occurred_at >= %(since)s) "
            "FROM {ledger} WHERE {owner} = %(account)s"
        ).format(charge=sql.Literal(CHARGE), **self._names)
        rows = await self._database.rows(query, {"since": now - timedelta(days=PACE_DAYS), "account": account})
        balance, spent, first = rows[0]
        # Whoever began yesterday has not spent for a week.
        days = PACE_DAYS if first is None else min(PACE_DAYS, max(1, -(-(now - first) // timedelta(days=1))))
        return Standing(balance, spent, days)

    async def before(self, accounts: Iterable[uuid.UUID], moment: datetime) -> dict[uuid.UUID, int]:
        """The sums of all entries before a moment, those without any missing. Raises DatabaseError."""
        return await self._sums(accounts, moment, "<")

    async def since(self, accounts: Iterable[uuid.UUID], moment: datetime) -> dict[uuid.UUID, int]:
        """The sums of all entries from a moment on, those without any missing. Raises DatabaseError."""
        return await self._sums(accounts, moment, ">=")

    async def _sums(self, accounts: Iterable[uuid.UUID], moment: datetime, side: LiteralString) -> dict[uuid.UUID, int]:
        query = sql.SQL(
            "SELECT {owner}, sum(amount_nanousd)::bigint FROM {ledger} "
            "WHERE {owner} = ANY(%(accounts)s) AND occurred_at {side} %(moment)s GROUP BY {owner}"
        ).format(side=sql.SQL(side), **self._names)
        rows = await self._database.rows(query, {"accounts": list(accounts), "moment": moment})
        return {row[0]: row[1] for row in rows}
