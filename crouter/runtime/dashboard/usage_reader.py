"""Reads what an account used and what it cost, for its dashboard and for nothing else.

What a request cost is the charge of the same id. Both tables are asked by account and time, which have an index
together, so that a question costs what its days hold, not what the tables hold.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.dashboard.filters import Cursor, UsageFilter
from crouter.runtime.database.pool import Database
from crouter.runtime.names import API_KEY, LEDGER, USAGE
from crouter.runtime.purposes import PurposeRefusedError, owner_field, reference_field, require_purpose

PURPOSE: Final = "dashboard"
TIME: Final = "occurred_at"
MODEL: Final = "model"
CHARGE: Final = "charge"
ROWS_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class Totals:
    """How many requests, what they used by name of the count, and what they cost in nanodollars."""

    requests: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    cost_nanousd: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        names = dict.fromkeys((*self.counts, *other.counts))
        counts = {name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in names}
        return Totals(self.requests + other.requests, counts, self.cost_nanousd + other.cost_nanousd)

    @property
    def tokens(self) -> int:
        """All tokens, whatever they were for."""
        return sum(count for name, count in self.counts.items() if name.endswith("_tokens"))


@dataclass(frozen=True, slots=True)
class Part:
    """What one model used in one hour, which begins at `start`."""

    start: datetime
    model: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Row:
    """One request. `values` are the declared fields by name."""

    id: uuid.UUID
    key: uuid.UUID
    values: Mapping[str, Any]
    cost_nanousd: int

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.values[TIME], self.id)


class UsageReader:
    """Answers questions about usage. `columns` are the fields that a dashboard may show, the time first."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises PurposeRefusedError where the policy does not let a dashboard read what it cannot do without."""
        usage, ledger = deployment.record(USAGE), deployment.record(LEDGER)
        require_purpose(usage, (TIME,), PURPOSE)
        require_purpose(ledger, ("amount_nanousd", TIME), PURPOSE)
        shown = [one for one in usage.fields if one.personal and PURPOSE in one.purposes]
        self.columns = tuple(sorted(shown, key=lambda one: one.name != TIME))
        self.counts = tuple(one.name for one in self.columns if one.kind == "count")
        self.has_models = any(one.name == MODEL for one in self.columns)
        self._database = database
        self._key = reference_field(usage, API_KEY)
        self._sums = sql.SQL(", ").join(
            (
                sql.SQL("count(*)"),
                *(sql.SQL("coalesce(sum(u.{}), 0)::bigint").format(sql.Identifier(name)) for name in self.counts),
                sql.SQL("coalesce(-sum(l.amount_nanousd), 0)::bigint"),
            )
        )
        # The account and the time stand on both sides: each table is reached by its own index.
        self._joined = sql.SQL(
            "FROM {usage} AS u LEFT JOIN {ledger} AS l ON l.id = u.id AND l.kind = {charge} "
            "AND l.{payer} = u.{owner} AND l.{time} >= %(since)s AND l.{time} < %(until)s "
            "WHERE u.{owner} = ANY(%(accounts)s) AND u.{time} >= %(since)s AND u.{time} < %(until)s"
        ).format(
            usage=database.table(USAGE),
            ledger=database.table(LEDGER),
            charge=sql.Literal(CHARGE),
            payer=sql.Identifier(owner_field(ledger)),
            owner=sql.Identifier(owner_field(usage)),
            time=sql.Identifier(TIME),
        )
        self._owner = sql.Identifier("u", owner_field(usage))

    async def totals(self, account: uuid.UUID, asked: UsageFilter) -> Totals:
        """The sums of what is asked for. Raises DatabaseError."""
        query = sql.SQL("SELECT {} {} {}").format(self._sums, self._joined, self._further(asked))
        rows = await self._database.rows(query, self._values((account,), asked))
        return self._totals(rows[0])

    async def totals_between(
        self, accounts: Iterable[uuid.UUID], since: datetime, until: datetime
    ) -> dict[uuid.UUID, Totals]:
        """The sums of several accounts; those without any request are missing. Raises DatabaseError."""
        query = sql.SQL("SELECT {owner}, {sums} {joined} GROUP BY {owner}").format(
            owner=self._owner, sums=self._sums, joined=self._joined
        )
        rows = await self._database.rows(query, {"accounts": list(accounts), "since": since, "until": until})
        return {row[0]: self._totals(row[1:]) for row in rows}

    async def parts(self, account: uuid.UUID, since: datetime, until: datetime) -> tuple[Part, ...]:
        """What was used by hour and by model, without those that are empty, in no order. Raises DatabaseError."""
        model = sql.Identifier("u", MODEL) if self.has_models else sql.SQL("''")
        query = sql.SQL("SELECT date_trunc('hour', u.{time}, 'UTC'), {model}, {sums} {joined} GROUP BY 1, 2").format(
            time=sql.Identifier(TIME), model=model, sums=self._sums, joined=self._joined
        )
        rows = await self._database.rows(query, {"accounts": [account], "since": since, "until": until})
        return tuple(Part(row[0], row[1], self._totals(row[2:])) for row in rows)

    async def rows(
        self, account: uuid.UUID, asked: UsageFilter, after: Cursor | None = None, limit: int = ROWS_AT_ONCE
    ) -> tuple[Row, ...]:
        """The newest rows of what is asked for, below a cursor, at most `limit`. Raises DatabaseError."""
        names = [one.name for one in self.columns]
        below = sql.SQL("AND (u.{time}, u.id) < (%(time)s, %(id)s)") if after is not None else sql.SQL("")
        query = sql.SQL(
            "SELECT u.id, u.{key}, {fields}, coalesce(-l.amount_nanousd, 0) {joined} {further} " + "{below} "
            "ORDER BY u.{time} DESC, u.id DESC LIMIT %(limit)s"
        ).format(
            key=sql.Identifier(self._key),
            fields=sql.SQL(", ").join(sql.Identifier("u", name) for name in names),
            joined=self._joined,
            further=self._further(asked),
            below=below.format(time=sql.Identifier(TIME)) if after is not None else below,
            time=sql.Identifier(TIME),
        )
        values = self._values((account,), asked) | {"limit": limit}
        if after is not None:
            values |= {"time": after.occurred_at, "id": after.id}
        found = await self._database.rows(query, values)
        return tuple(Row(row[0], row[1], dict(zip(names, row[2:-1], strict=True)), row[-1]) for row in found)

    async def models(self, account: uuid.UUID, asked: UsageFilter) -> tuple[str, ...]:
        """The models of the days that are asked for, in alphabetical order. Raises DatabaseError."""
        if not self.has_models:
            return ()
        query = sql.SQL(
            "SELECT DISTINCT {model} FROM {usage} AS u WHERE {owner} = %(account)s "
            "AND u.{time} >= %(since)s AND u.{time} < %(until)s ORDER BY 1"
        ).format(
            model=sql.Identifier("u", MODEL),
            usage=self._database.table(USAGE),
            owner=self._owner,
            time=sql.Identifier(TIME),
        )
        rows = await self._database.rows(query, {"account": account, "since": asked.since, "until": asked.until})
        return tuple(row[0] for row in rows)

    def _further(self, asked: UsageFilter) -> sql.Composable:
        conditions = []
        if asked.model and self.has_models:
            conditions.append(sql.SQL("AND u.{} = %(model)s").format(sql.Identifier(MODEL)))
        if asked.key is not None:
            conditions.append(sql.SQL("AND u.{} = %(key)s").format(sql.Identifier(self._key)))
        return sql.SQL(" ").join(conditions)

    def _values(self, accounts: Sequence[uuid.UUID], asked: UsageFilter) -> dict[str, Any]:
        return {
            "accounts": list(accounts),
            "since": asked.since,
            "until": asked.until,
            "model": asked.model,
            "key": asked.key,
        }

    def _totals(self, row: Sequence[Any]) -> Totals:
        return Totals(row[0], dict(zip(self.counts, row[1:-1], strict=True)), row[-1])


def is_readable(deployment: Deployment) -> bool:
    """Whether the policy lets a dashboard read what it cannot do without; otherwise there is none."""
    try:
        require_purpose(deployment.record(USAGE), (TIME,), PURPOSE)
        require_purpose(deployment.record(LEDGER), ("amount_nanousd", TIME), PURPOSE)
    except PurposeRefusedError:
        return False
    return True
