"""The usage table, page by page, and the same rows as CSV.

Amounts are exact in both. The CSV is sent as it is read, however many rows there are; if the database goes away
meanwhile the download breaks off, so that nobody takes a part for the whole.
"""

import csv
import io
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from crouter.contract.data import Field
from crouter.runtime.dashboard.filters import Asked, UsageFilter, read_filter
from crouter.runtime.dashboard.keys import KeyName, KeyNames
from crouter.runtime.dashboard.usage_reader import Row, Totals, UsageReader
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import StreamReply
from crouter.runtime.server.site.form import signed_in
from crouter.runtime.server.site.notices import Notice, Notices, Way
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor
from crouter.runtime.web.amounts import usd, usd_plain
from crouter.runtime.web.headers import Headers, page_headers
from crouter.runtime.web.table import Column, Table

PATH: Final = "/dashboard/usage"
CSV_PATH: Final = "/dashboard/usage.csv"
ROWS: Final = 50
_NO_SUCH_KEY: Final = Notice(
    "There is no such key", ("None of your keys has that id.",), (Way(PATH, "Usage of all keys"),)
)


@dataclass(frozen=True, slots=True)
class UsageView:
    """What the page says."""

    asked: UsageFilter
    problems: dict[str, str]
    models: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str], ...]
    totals: Totals
    table: Table
    older: str
    is_first: bool
    csv: str


class UsagePages:
    """Answers GET and HEAD of `/dashboard/usage`, and GET of the same as CSV."""

    def __init__(self, parts: Parts, pages: SitePages, usage: UsageReader) -> None:
        self._parts = parts
        self._pages = pages
        self._notices = Notices(parts)
        self._usage = usage
        self._keys = KeyNames(parts.deployment, parts.database)
        self._headers: Headers = page_headers(parts.deployment.web)

    def routes(self) -> tuple[SiteRoute, ...]:
        return (
            SiteRoute("dashboard_usage", exactly(PATH), READING, signed_in(self._parts, self._page)),
            SiteRoute("dashboard_usage_csv", exactly(CSV_PATH), ("GET",), signed_in(self._parts, self._csv)),
        )

    async def _page(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        asked = read_filter(exchange.query, exchange.received_at.date())
        keys = await self._keys.of(visitor.account)
        if _is_foreign(asked, keys):
            return self._notices.page(exchange, _NO_SUCH_KEY, visitor, status=404)
        view = await self._view(visitor.account, asked, keys)
        return self._pages.reply(exchange, "usage.html.jinja", view, visitor, status=400 if asked.problems else 200)

    async def _view(self, account: uuid.UUID, asked: Asked, keys: Sequence[KeyName]) -> UsageView:
        """Raises DatabaseError."""
        wanted = asked.filter
        rows = await self._usage.rows(account, wanted, asked.cursor, ROWS + 1)
        shown = rows[:ROWS]
        names = {key.id: key.shown for key in keys}
        models = await self._usage.models(account, wanted)
        chosen = {wanted.model} if wanted.model else set()
        return UsageView(
            asked=wanted,
            problems=dict(asked.problems),
            models=(("", "All models"), *((model, model) for model in sorted({*models, *chosen}))),
            keys=(("", "All keys"), *((str(key.id), key.shown) for key in keys)),
            totals=await self._usage.totals(account, wanted),
            table=self._table(shown, names),
            older=f"{PATH}?{wanted.query(shown[-1].cursor)}" if len(rows) > ROWS else "",
            is_first=asked.cursor is None,
            csv=f"{CSV_PATH}?{wanted.query()}",
        )

    def _table(self, rows: Sequence[Row], names: dict[uuid.UUID, str]) -> Table:
        # A column that is empty on a whole page tells nothing there.
        columns = [
            one for one in self._usage.columns if any(row.values[one.name] not in (None, {}, 0, "") for row in rows)
        ]
        return Table(
            "Requests, the newest first; times in UTC",
            (*map(_column, columns), Column("Key"), Column("Cost", "number")),
            [
                (
                    *(_cell(row.values[one.name]) for one in columns),
                    names.get(row.key, "–"),
                    usd(row.cost_nanousd),
                )
                for row in rows
            ],
        )

    async def _csv(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        asked = read_filter(exchange.query, exchange.received_at.date())
        keys = await self._keys.of(visitor.account)
        if _is_foreign(asked, keys):
            return self._notices.page(exchange, _NO_SUCH_KEY, visitor, status=404)
        # The first piece is read before anything is sent: with the database away there is a page instead of a file.
        piece = await self._usage.rows(visitor.account, asked.filter)
        reply = StreamReply(headers=self._csv_headers(asked.filter))
        await reply.prepare(exchange.request)
        names = {key.id: key.shown for key in keys}
        await reply.write(_lines([self._head()]))
        # Each piece is a statement of its own: no transaction lasts as long as a slow reader.
        while piece:
            await reply.write(_lines(self._line(row, names) for row in piece))
            try:
                piece = await self._usage.rows(visitor.account, asked.filter, piece[-1].cursor)
            except DatabaseError:
                raise ConnectionResetError from None
        await reply.write_eof()
        return reply

    def _csv_headers(self, asked: UsageFilter) -> list[tuple[str, str]]:
        name = f"usage-{asked.first}-{asked.last}.csv"
        return [
            *self._headers,
            ("content-type", "text/csv; charset=utf-8; header=present"),
            ("content-disposition", f'attachment; filename="{name}"'),
            ("cache-control", "no-store"),
        ]

    def _head(self) -> tuple[str, ...]:
        return (*(one.name for one in self._usage.columns), "id", "key", "cost_usd")

    def _line(self, row: Row, names: dict[uuid.UUID, str]) -> tuple[str, ...]:
        told = (_plain(row.values[one.name]) for one in self._usage.columns)
        return (*told, str(row.id), _harmless(names.get(row.key, "")), usd_plain(row.cost_nanousd))


def _is_foreign(asked: Asked, keys: Iterable[KeyName]) -> bool:
    return asked.filter.key is not None and asked.filter.key not in {key.id for key in keys}


def _column(field: Field) -> Column:
    label = field.name.removesuffix("_at").replace("_", " ").capitalize()
    match field.kind:
        case "timestamp":
            return Column("Time", "time")
        case "count":
            return Column(label.replace(" tokens", "").replace("5m", "5 min").replace("1h", "1 h"), "number")
        case _:
            return Column(label)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count:,}" for name, count in sorted(value.items()))
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, int) else _harmless(str(value))


def _harmless(text: str) -> str:
    # What begins like a formula is carried out by spreadsheets.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
