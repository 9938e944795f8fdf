"""The statement of an account: the entries of its ledger, newest first, page by page."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.names import LEDGER
from crouter.runtime.position import Position, is_after
from crouter.runtime.purposes import require_purpose

_PERSONAL: Final = ("amount_nanousd", "occurred_at")


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One entry. `amount_nanousd` is below zero for what was spent."""

    id: uuid.UUID
    kind: str
    amount_nanousd: int
    occurred_at: datetime
    price_version: str | None


@dataclass(frozen=True, slots=True)
class StatementFilter:
    """Which entries: of these kinds (all if empty), from `since` on and before `until`."""

    kinds: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


class Statement:
    """Reads ledgers for a purpose. Methods raise PurposeRefusedError, DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._record = deployment.record(LEDGER)
        self._database = database

    async def entries(
        self,
        account: uuid.UUID,
        purpose: str,
        wanted: StatementFilter = StatementFilter(),
        *,
        limit: int,
        after: Position | None = None,
    ) -> tuple[StatementEntry, ...]:
        """Entries of an account, newest first; those that come after `after`."""
        require_purpose(self._record, _PERSONAL, purpose)
        query = sql.SQL(
            "SELECT id, kind, amount_nanousd, occurred_at, price_version FROM {table} "
            "WHERE account_id = %s AND (%s::text[] IS NULL OR kind = ANY(%s)) "
            "AND (%s::timestamptz IS NULL OR occurred_at >= %s) AND (%s::timestamptz IS NULL OR occurred_at < %s) "
            "AND {after} ORDER BY occurred_at DESC, id DESC LIMIT %s"
        ).format(
            table=self._database.table(LEDGER),
            after=is_after(sql.Identifier("occurred_at"), sql.Identifier("id"), after),
        )
        kinds = list(wanted.kinds) or None
        values = (account, kinds, kinds, wanted.since, wanted.since, wanted.until, wanted.until, limit)
        return tuple(StatementEntry(*row) for row in await self._database.rows(query, values))
