"""The pages of operators, which do not exist for anybody else: an overview, a look-up of one account, reconciliation.

The overview names nobody. Looking an account up needs a purpose, is recorded before anything is read, and is a form
that is posted, so that no address stands in a URL.
"""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from crouter.runtime.access_records import NoReasonError, Operator
from crouter.runtime.account_facts import AccountFacts, account_facts
from crouter.runtime.accounts import Accounts, AccountState, NoDeletionRuleError
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.oversight import Oversight, Overview
from crouter.runtime.proxy.errors import method_not_allowed, not_found, unavailable
from crouter.runtime.reconciliation.figure import CAUSES
from crouter.runtime.reconciliation.store import Checked, Results
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import error_reply
from crouter.runtime.server.site.form import read_form, signed_in
from crouter.runtime.server.site.notices import Notice, Notices, Way
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SENDING, Answerer, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor
from crouter.runtime.web.amounts import usd
from crouter.runtime.web.table import Column, Table

PATH: Final = "/admin"
ACCOUNTS_SHOWN: Final = 100
DAYS_SHOWN: Final = 14
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

Answer = Callable[[Exchange, Visitor], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of the overview. `tone` is good, warn or bad where it has one."""

    label: str
    text: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The first page. `error` says what was wrong with a look-up."""

    lines: tuple[Line, ...]
    accounts: Table
    error: str = ""


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account, as it was looked up."""

    facts: AccountFacts
    reason: str


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    """What the last runs found; `figures` is None where nothing was found yet."""

    figures: Table | None
    unexplained: int
    causes: tuple[str, ...]


class Admin:
    """Answers for `/admin` and what is below it."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._parts = parts
        self._pages = pages
        self._notices = Notices(parts)
        self._accounts = Accounts(parts.deployment, parts.database)
        self._oversight = Oversight(parts.deployment, parts.database, parts.settings.journal)
        self._results = Results(parts.deployment, parts.database)

    def routes(self) -> tuple[SiteRoute, ...]:
        """Every method is answered: for who is no operator there is nothing at these addresses, whatever they try."""
        return (
            self._route("admin", "", self._overview, READING),
            self._route("admin_look_up", "/account", self._look_up, SENDING),
            self._route("admin_reconciliation", "/reconciliation", self._reconciliation, READING),
        )

    def _route(self, name: str, below: str, answer: Answer, methods: tuple[str, ...]) -> SiteRoute:
        return SiteRoute(name, exactly(f"{PATH}{below}"), _METHODS, self._for_operators(answer, methods))

    def _for_operators(self, answer: Answer, methods: tuple[str, ...]) -> Answerer:
        answered = signed_in(self._parts, answer)

        async def judged(exchange: Exchange) -> web.StreamResponse:
            try:
                visitor = await self._parts.visitors.of(exchange)
            except DatabaseError:
                return error_reply(unavailable(), exchange.request_id)
            if visitor is None or not visitor.is_operator:
                return error_reply(not_found(), exchange.request_id)
            if exchange.request.method not in methods:
                return error_reply(method_not_allowed(methods), exchange.request_id)
            return await answered(exchange)

        return judged

    async def _overview(self, exchange: Exchange, visitor: Visitor, error: str = "") -> web.StreamResponse:
        overview = await self._oversight.overview()
        view = OverviewView(_lines(overview, self._parts.heartbeat.late), await self._account_table(), error)
        return self._pages.reply(exchange, "admin.html.jinja", view, visitor, status=400 if error else 200)

    async def _look_up(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        form = await read_form(exchange, visitor)
        try:
            operator = Operator(f"account {visitor.account}", form.get("purpose", ""))
        except NoReasonError as problem:
            return await self._overview(exchange, visitor, f"Say why: {problem}.")
        account = await self._named(form.get("account", "").strip())
        facts = None
        if account is not None:
            facts = await account_facts(self._parts.deployment, self._parts.database, operator, account)
        if facts is None:
            message = Notice("No such account", ("No account has that id or address.",), (Way(PATH, "Back"),))
            return self._notices.page(exchange, message, visitor, status=404)
        view = AccountView(facts, operator.reason)
        return self._pages.reply(exchange, "admin_account.html.jinja", view, visitor)

    async def _reconciliation(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        since = (datetime.now(UTC) - timedelta(days=DAYS_SHOWN)).date()
        found = await self._results.last(since)
        view = ReconciliationView(
            figures=_figure_table(found) if found else None,
            unexplained=sum(checked.state == "unexplained" for checked in found),
            causes=tuple(dict.fromkeys(CAUSES[cause] for checked in found for cause in checked.figure.causes)),
        )
        return self._pages.reply(exchange, "admin_reconciliation.html.jinja", view, visitor)

    async def _named(self, text: str) -> uuid.UUID | None:
        try:
            return uuid.UUID(text)
        except ValueError:
            return await self._accounts.find(text) if "@" in text else None

    async def _account_table(self) -> Table:
        try:
            accounts = await self._accounts.list()
        except NoDeletionRuleError:
            accounts = ()
        columns = (Column("Account"), Column("Made", "time"), Column("Balance", "number"), Column("Deletion", "time"))
        newest = sorted(accounts, key=lambda account: account.created_at, reverse=True)[:ACCOUNTS_SHOWN]
        caption = "Accounts, newest first"
        if len(newest) < len(accounts):
            caption += f": {len(newest)} of {len(accounts):,}"
        return Table(caption, columns, [_account_row(account) for account in newest])


def _account_row(account: AccountState) -> tuple[str, ...]:
    asked = account.deletion_requested_at
    return (
        str(account.id),
        _moment(account.created_at),
        usd(account.balance_nanousd),
        f"asked for {_moment(asked)}" if asked else "",
    )


def _lines(overview: Overview, late: frozenset[str]) -> tuple[Line, ...]:
    unexplained = sum(overview.unexplained.values())
    lines = [
        Line("Accounts", f"{overview.accounts:,}, {overview.leaving:,} of them leaving"),
        Line("What customers have", usd(overview.held_nanousd)),
        Line("Jobs that are late", ", ".join(sorted(late)) or "none", "bad" if late else "good"),
        Line("Figures that nothing explains", f"{unexplained:,}", "bad" if unexplained else "good"),
    ]
    if overview.set_aside is not None:
        tone = "bad" if overview.set_aside else "good"
        lines.append(Line("Usage records set aside", f"{overview.set_aside:,}", tone))
    if overview.mails_waiting is not None and overview.mails_parked is not None:
        text = f"{overview.mails_waiting:,} waiting, {overview.mails_parked:,} given up"
        lines.append(Line("Mail", text, "warn" if overview.mails_parked else "good"))
    if overview.requests_open is not None and overview.requests_overdue is not None:
        text = f"{overview.requests_open:,} open, {overview.requests_overdue:,} overdue"
        lines.append(Line("Privacy requests", text, "bad" if overview.requests_overdue else "good"))
    return tuple(lines)


def _figure_table(found: tuple[Checked, ...]) -> Table:
    columns = (
        *(Column("Day", "time"), Column("Beside"), Column("What"), Column("Ours", "number")),
        *(Column("Theirs", "number"), Column("Difference", "number"), Column("State")),
    )
    rows = [_figure_row(one) for one in found]
    return Table("What was found last about each figure, newest day first", columns, rows)


def _figure_row(checked: Checked) -> tuple[str, ...]:
    figure = checked.figure
    is_money = figure.measure.endswith("_nanousd")
    what = f"{figure.subject}, {figure.measure.removesuffix('_nanousd').replace('_', ' ')}"
    numbers = (figure.ours, figure.theirs or 0, figure.difference)
    shown = [usd(number) if is_money else f"{number:,}" for number in numbers]
    if checked.state == "unknown":
        shown[1:] = ["not known", ""]
    return (figure.day.isoformat(), figure.source, what, *shown, checked.state)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
