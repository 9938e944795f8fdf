"""The development dashboard: balance and last requests of the development account, on this machine only.

Shows the declared usage fields that may be read for the dashboard, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from crouter.contract.data import Field
from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.names import LEDGER, USAGE
from crouter.runtime.proxy.errors import not_found, unavailable
from crouter.runtime.purposes import PurposeRefusedError, require_purpose
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.probes import from_this_machine
from crouter.runtime.server.protocol import error_reply
from crouter.runtime.server.site.page import SitePages

PURPOSE: Final = "dashboard"
ROWS: Final = 50
_NANOUSD_PER_USD: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Column:
    label: str
    style: str


@dataclass(frozen=True, slots=True)
class _View:
    balance: str
    columns: tuple[_Column, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[str, ...]


class Dashboard:
    """Draws the dashboard anew for every request."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._parts = parts
        self._pages = pages
        record = parts.deployment.record(USAGE)
        self._key = record.key
        # The time first: it is what the rows are ordered by.
        fields = [field for field in record.fields if field.personal and PURPOSE in field.purposes]
        self._fields = tuple(sorted(fields, key=lambda field: field.kind != "timestamp"))

    @staticmethod
    def is_declared(deployment: Deployment) -> bool:
        """Whether the policy lets a dashboard read what it cannot do without; otherwise there is none."""
        usage, ledger = deployment.record(USAGE), deployment.record(LEDGER)
        try:
            require_purpose(usage, ("occurred_at",), PURPOSE)
            require_purpose(ledger, ("amount_nanousd", "occurred_at"), PURPOSE)
        except PurposeRefusedError:
            return False
        return True

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The page; 404 from elsewhere or without a development account, 503 while the database is away."""
        account = self._parts.settings.development_account
        if account is None or not from_this_machine(exchange.request):
            return error_reply(not_found(), exchange.request_id)
        reader = self._parts.reader
        try:
            balance = await reader.total(LEDGER, "amount_nanousd", PURPOSE, owner=account)
            names = tuple(field.name for field in self._fields)
            usage = await reader.newest(
                USAGE, (self._key, *names), PURPOSE, owner=account, order="occurred_at", limit=ROWS
            )
            entries = await reader.newest(
                LEDGER, ("id", "amount_nanousd"), PURPOSE, owner=account, order="occurred_at", limit=2 * ROWS
            )
        except DatabaseError:
            return error_reply(unavailable(), exchange.request_id)
        costs = {entry["id"]: -entry["amount_nanousd"] for entry in entries}
        view = self._view(balance, usage, [costs.get(row[self._key], 0) for row in usage])
        return self._pages.reply(exchange, "dashboard.html.jinja", view)

    def _view(self, balance: int, usage: Sequence[dict[str, Any]], costs: Sequence[int]) -> _View:
        return _View(
            balance=_usd(balance),
            columns=(*map(_column, self._fields), _Column("cost", "number")),
            rows=tuple(
                (*(_cell(row[field.name]) for field in self._fields), _usd(cost))
                for row, cost in zip(usage, costs, strict=True)
            ),
            totals=(*(_total(field, usage) for field in self._fields), _usd(sum(costs))),
        )


def _column(field: Field) -> _Column:
    return _Column(field.name.replace("_", " "), "number" if field.kind == "count" else "word")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in sorted(value.items())) or "–"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _total(field: Field, usage: Sequence[dict[str, Any]]) -> str:
    return f"{sum(row[field.name] or 0 for row in usage):,}" if field.kind == "count" else ""


def _usd(nanousd: int) -> str:
    # Integers to the end: a balance is never shown rounded up.
    sign, rest = ("-" if nanousd < 0 else ""), abs(nanousd)
    return f"{sign}${rest // _NANOUSD_PER_USD:,}.{rest % _NANOUSD_PER_USD // 1000:06d}"
