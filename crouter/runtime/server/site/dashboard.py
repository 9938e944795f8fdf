"""The dashboard: what an account uses now, what is left, and charts by hour, day and model with their numbers.

Drawn whole on the server; scripts add what happens after that. Reads for the declared purpose `dashboard` only.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from crouter.runtime.dashboard.filters import DAYS, last_days
from crouter.runtime.dashboard.keys import KeyNames
from crouter.runtime.dashboard.live import Now
from crouter.runtime.dashboard.rate_use import RateUse, WindowUse
from crouter.runtime.dashboard.recent import RecentUsage
from crouter.runtime.dashboard.standing import Standing, StandingReader
from crouter.runtime.dashboard.usage_reader import Part, Totals, UsageReader
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.site.figures import figures, minute_name
from crouter.runtime.server.site.form import signed_in
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor

PATH: Final = "/dashboard"
HOURS: Final = 24
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart and one row of its table. `name` is what stands below it, `moment` when it began."""

    name: str
    moment: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. `id` names it in the page."""

    id: str
    title: str
    first: str
    bars: tuple[Bar, ...]

    @property
    def is_empty(self) -> bool:
        return not any(bar.totals.requests for bar in self.bars)


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What an active key has used of its limits. `live` names its figure of the last minute."""

    shown: str
    live: str
    windows: tuple[WindowUse, ...]


@dataclass(frozen=True, slots=True)
class DashboardView:
    """What the page says. `figures` are today's, by the name under which they are told live."""

    figures: dict[str, str]
    standing: Standing
    keys: tuple[KeyUse, ...]
    charts: tuple[Chart, ...]
    has_usage: bool
    days: int
    at: datetime


class Dashboard:
    """Answers GET and HEAD of `/dashboard`."""

    def __init__(self, parts: Parts, pages: SitePages, usage: UsageReader, standing: StandingReader) -> None:
        self._parts = parts
        self._pages = pages
        self._usage = usage
        self._recent = RecentUsage(usage)
        self._standing = standing
        self._keys = KeyNames(parts.deployment, parts.database)
        self._rates = RateUse(parts.deployment, parts.database)

    def routes(self) -> tuple[SiteRoute, ...]:
        return (SiteRoute("dashboard", exactly(PATH), READING, signed_in(self._parts, self._answer)),)

    async def _answer(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        view = await self._view(visitor.account, exchange.received_at)
        return self._pages.reply(exchange, "dashboard.html.jinja", view, visitor)

    async def _view(self, account: uuid.UUID, now: datetime) -> DashboardView:
        """Raises DatabaseError."""
        hours = await self._recent.of(account, last_days(now.date()).since, now)
        standing = await self._standing.of(account, now)
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        used = sum_of(part.totals for part in hours if part.start >= today)
        return DashboardView(
            figures=figures(Now(today, used, standing.balance_nanousd)),
            standing=standing,
            keys=await self._key_use(account, now),
            charts=charts_of(hours, now, with_models=self._usage.has_models),
            has_usage=bool(hours),
            days=DAYS,
            at=now,
        )

    async def _key_use(self, account: uuid.UUID, now: datetime) -> tuple[KeyUse, ...]:
        """Raises DatabaseError."""
        keys = [key for key in await self._keys.of(account) if key.is_active(now)]
        used = await self._rates.of(account, now, [key.id for key in keys])
        return tuple(KeyUse(key.shown, minute_name(key.id), used[key.id]) for key in keys)


def charts_of(hours: Iterable[Part], now: datetime, *, with_models: bool) -> tuple[Chart, ...]:
    """The charts of the last days, from what was used by hour and model."""
    hours = tuple(hours)
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    today = this_hour.replace(hour=0)
    by_hour = _bars(hours, [this_hour - _HOUR * back for back in range(HOURS - 1, -1, -1)], _HOUR, "%H:%M")
    by_day = _bars(hours, [today - _DAY * back for back in range(DAYS - 1, -1, -1)], _DAY, "%d %b")
    charts = [
        Chart("by-hour", f"The last {HOURS} hours", "Hour (UTC)", by_hour),
        Chart("by-day", f"The last {DAYS} days", "Day (UTC)", by_day),
    ]
    if with_models:
        charts.append(Chart("by-model", f"Models in the last {DAYS} days", "Model", _by_model(hours)))
    return tuple(charts)


def sum_of(totals: Iterable[Totals]) -> Totals:
    """All of them together."""
    return sum(totals, Totals())


def _bars(hours: tuple[Part, ...], starts: list[datetime], width: timedelta, form: str) -> tuple[Bar, ...]:
    found = {start: Totals() for start in starts}
    floor: Callable[[datetime], datetime] = (lambda at: at.replace(hour=0)) if width == _DAY else (lambda at: at)
    for part in hours:
        start = floor(part.start)
        if start in found:
            found[start] += part.totals
    return tuple(Bar(start.strftime(form), start.isoformat(), totals) for start, totals in found.items())


def _by_model(hours: tuple[Part, ...]) -> tuple[Bar, ...]:
    """The dearest first."""
    found: dict[str, Totals] = {}
    for part in hours:
        found[part.model] = found.get(part.model, Totals()) + part.totals
    ordered = sorted(found.items(), key=lambda pair: (-pair[1].cost_nanousd, pair[0]))
    return tuple(Bar(model, "", totals) for model, totals in ordered)
