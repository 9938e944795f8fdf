"""Reads an account's usage for its owner: single records, and sums by day, hour, model or key.

Which counts there are the policy decides; what is not declared, or not readable for the dashboard, is not there.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from psycopg import sql

from crouter.contract.data import Record
from crouter.contract.deployment import Deployment
from crouter.contract.measures import MEASURED_COUNTS
from crouter.runtime.database.pool import Database
from crouter.runtime.names import LEDGER, USAGE
from crouter.runtime.position import Position, is_after
from crouter.runtime.purposes import require_purpose

PURPOSE: Final = "dashboard"
GROUPS_MAX: Final = 1000
Grouping = Literal["day", "hour", "model", "key"]
_NEEDED: Final = ("model", "occurred_at")


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which records: from `since` on and before `until`, of one model, of one key."""

    since: datetime | None = None
    until: datetime | None = None
    model: str | None = None
    api_key: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One request. `cost_nanousd` is what was charged for it, 0 once its charge is folded into the balance."""

    id: uuid.UUID
    occurred_at: datetime
    model: str
    api_key: uuid.UUID
    service_tier: str | None
    counts: Mapping[str, int]
    cost_nanousd: int


@dataclass(frozen=True, slots=True)
class UsageSum:
    """What requests of one group add up to. `group` is a moment, a model or a key's id."""

    group: str
    requests: int
    counts: Mapping[str, int]
    cost_nanousd: int


class UsageReader:
    """Reads usage for the dashboard purpose. Methods raise DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises PurposeRefusedError where the policy lets nobody show usage to its owner."""
        record, ledger = deployment.record(USAGE), deployment.record(LEDGER)
        require_purpose(record, _NEEDED, PURPOSE)
        require_purpose(ledger, ("amount_nanousd",), PURPOSE)
        self._database = database
        self._counts = tuple(name for name in MEASURED_COUNTS if _may_be_read(record, name))
        self._tier = sql.SQL("u.service_tier") if _may_be_read(record, "service_tier") else sql.SQL("NULL::text")
        self._from = sql.SQL("FROM {} AS u LEFT JOIN {} AS l ON l.id = u.id AND l.kind = 'charge'").format(
            database.table(USAGE), database.table(LEDGER)
        )

    async def records(
        self, account: uuid.UUID, wanted: UsageFilter, *, limit: int, after: Position | None = None
    ) -> tuple[UsageRow, ...]:
        """Records of an account, newest first; those that come after `after`."""
        counts = sql.SQL(", ").join(sql.SQL("coalesce({}, 0)").format(_column(name)) for name in self._counts)
        query = sql.SQL(
            "SELECT u.id, u.occurred_at, u.model, u.api_key_id, {tier}, ARRAY[{counts}]::bigint[],"
            " coalesce(-l.amount_nanousd, 0) {source} WHERE {wanted} AND {after}"
            " ORDER BY u.occurred_at DESC, u.id DESC LIMIT %s"
        ).format(
            tier=self._tier,
            counts=counts,
            source=self._from,
            wanted=_condition(account, wanted),
            after=is_after(_column("occurred_at"), _column("id"), after),
        )
        rows = await self._database.rows(query, (limit,))
        return tuple(
            UsageRow(request, occurred_at, model, key, tier, self._named(found), cost)
            for request, occurred_at, model, key, tier, found, cost in rows
        )

    async def sums(self, account: uuid.UUID, wanted: UsageFilter, by: Grouping) -> tuple[UsageSum, ...]:
        """Sums of the records of an account: newest first by time, otherwise the dearest first.

        At most `GROUPS_MAX` of them.
        """
        counts = sql.SQL(", ").join(sql.SQL("coalesce(sum({}), 0)").format(_column(name)) for name in self._counts)
        is_time = by in ("day", "hour")
        query = sql.SQL(
            "SELECT {group}, count(*), ARRAY[{counts}]::bigint[], coalesce(-sum(l.amount_nanousd), 0)::bigint AS cost"
            " {source} WHERE {wanted} GROUP BY 1 ORDER BY {order} LIMIT %s"
        ).format(
            group=_group(by),
            counts=counts,
            source=self._from,
            wanted=_condition(account, wanted),
            order=sql.SQL("1 DESC") if is_time else sql.SQL("cost DESC, 1"),
        )
        rows = await self._database.rows(query, (GROUPS_MAX,))
        return tuple(UsageSum(row[0], row[1], self._named(row[2]), row[3]) for row in rows)

    def _named(self, counts: list[Any]) -> dict[str, int]:
        return dict(zip(self._counts, counts, strict=True))


def _may_be_read(record: Record, name: str) -> bool:
    return name in record.field_names and PURPOSE in record.field(name).purposes


def _column(name: str) -> sql.Identifier:
    return sql.Identifier("u", name)


def _group(by: Grouping) -> sql.Composable:
    match by:
        case "model":
            return _column("model")
        case "key":
            return sql.SQL("u.api_key_id::text")
        case "day" | "hour":
            return sql.SQL("to_char(date_trunc({}, u.occurred_at), {})").format(
                sql.Literal(by), sql.Literal('YYYY-MM-DD"T"HH24:MI:SS"Z"')
            )


def _condition(account: uuid.UUID, wanted: UsageFilter) -> sql.Composable:
    parts: list[sql.Composable] = [sql.SQL("u.account_id = {}").format(sql.Literal(account))]
    for column, comparison, value in (
        ("occurred_at", sql.SQL(">="), wanted.since),
        ("occurred_at", sql.SQL("<"), wanted.until),
        ("model", sql.SQL("="), wanted.model),
        ("api_key_id", sql.SQL("="), wanted.api_key),
    ):
        if value is not None:
            parts.append(sql.SQL("{} {} {}").format(_column(column), comparison, sql.Literal(value)))
    return sql.SQL(" AND ").join(parts)
