"""/dashboard/balance: what there is, topping up, automatic top-up, payments with their invoices, refunds, statement.

Paying itself happens on a page of Stripe's, and leads back to `payments/ID`. While Stripe is away everything that is
ours still works, and the page says so.
"""

import csv
import io
import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from crouter.runtime.accounts import Accounts
from crouter.runtime.ledger import Ledger
from crouter.runtime.names import ACCOUNT, LEDGER
from crouter.runtime.payments.automatic import CONSENT, Terms
from crouter.runtime.payments.money import TOP_UP_CENTS_MAX, TOP_UP_CENTS_MIN, AmountError, nanousd, read_cents
from crouter.runtime.payments.payments import Payments
from crouter.runtime.payments.processor import Invoice, ProcessorAwayError, ProcessorRefusedError
from crouter.runtime.payments.records import NoPayerError, Payment
from crouter.runtime.payments.refunding import RefundChangedError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.probes import is_local_name
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.balance.views import (
    AutomaticForm,
    BalanceView,
    PaymentLine,
    PayView,
    RefundLine,
    RefundView,
    StatementView,
    bounds,
    choices,
    rows_of,
)
from crouter.runtime.server.site.form import read_form, see_other, signed_in
from crouter.runtime.server.site.notices import Notice, Notices, Way
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SENDING, SiteRoute, exactly
from crouter.runtime.server.site.visitor import Visitor

PATH: Final = "/dashboard/balance"
DEVELOPMENT_CREDIT_NANOUSD: Final = 25 * 10**9
AWAY: Final = (
    "Stripe cannot be reached just now, so nothing can be paid or paid back. Your balance, your keys and your requests "
    "are not touched by that. Try again in a few minutes."
)
_PAYMENT: Final = re.compile(rf"{PATH}/payments/([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})")
_MONTH: Final = re.compile(r"month=(20[0-9]{2})-(0[1-9]|1[0-2])")
_BACK: Final = (Way(PATH, "Back to your balance"),)


class BalancePages:
    """Pages for whoever is signed in, about their own money."""

    def __init__(self, parts: Parts, pages: SitePages) -> None:
        self._parts = parts
        self._pages = pages
        self._notices = Notices(parts)
        self._ledger = Ledger(parts.deployment, parts.database)
        self._accounts = Accounts(parts.deployment, parts.database)
        self._payments: Payments | None = parts.payments

    def routes(self) -> tuple[SiteRoute, ...]:
        """None where the policy keeps no balance."""
        if not {ACCOUNT, LEDGER} <= {record.name for record in self._parts.deployment.records}:
            return ()
        parts = self._parts
        own = [
            SiteRoute("balance", exactly(PATH), READING, signed_in(parts, self.balance)),
            SiteRoute("statement", exactly(f"{PATH}/statement"), READING, signed_in(parts, self.statement)),
            SiteRoute("statement_csv", exactly(f"{PATH}/statement.csv"), READING, signed_in(parts, self.statement_csv)),
        ]
        if self._payments is None:
            credit = exactly(f"{PATH}/development-credit")
            if not parts.settings.production:
                own.append(SiteRoute("development_credit", credit, SENDING, signed_in(parts, self.development_credit)))
            return tuple(own)
        return (
            *own,
            SiteRoute("top_up", exactly(f"{PATH}/top-up"), SENDING, signed_in(parts, self.top_up)),
            SiteRoute("payment", _PAYMENT, READING, signed_in(parts, self.payment)),
            SiteRoute("automatic", exactly(f"{PATH}/automatic"), SENDING, signed_in(parts, self.automatic)),
            SiteRoute("refund", exactly(f"{PATH}/refund"), READING, signed_in(parts, self.refund)),
            SiteRoute("refund", exactly(f"{PATH}/refund"), SENDING, signed_in(parts, self.refund_now)),
            SiteRoute("invoices", exactly(f"{PATH}/invoices"), READING, signed_in(parts, self.invoices)),
        )

    async def balance(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """The page, with what is ours only: it does not wait for Stripe."""
        return self._pages.reply(exchange, "balance.html.jinja", await self._view(visitor), visitor)

    async def _view(self, visitor: Visitor) -> BalanceView:
        payments = self._payments
        profile = await payments.records.read_profile(visitor.account) if payments else None
        paid = await payments.records.of_account(visitor.account) if payments else ()
        refunds = await payments.records.refunds_of(visitor.account) if payments else ()
        return BalanceView(
            balance_nanousd=await self._ledger.balance(visitor.account, "dashboard"),
            is_for_sale=payments is not None,
            gives_credit=payments is None and not self._parts.settings.production,
            choices=choices(),
            bounds=bounds(),
            automatic=AutomaticForm.of(profile, CONSENT),
            payments=[PaymentLine.of(payment) for payment in paid],
            refunds=[RefundLine.of(refund) for refund in refunds],
        )

    async def _again(
        self, exchange: Exchange, visitor: Visitor, *, status: int, error: str = "", automatic_error: str = ""
    ) -> Reply:
        """The page once more, with what was wrong."""
        view = await self._view(visitor)
        kind = "bad" if error else ""
        automatic = replace(view.automatic, error=automatic_error)
        view = replace(view, notice_kind=kind, notice=error, automatic=automatic)
        return self._pages.reply(exchange, "balance.html.jinja", view, visitor, status=status)

    # Topping up.

    async def top_up(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """Begins a payment, and leads to the page from which Stripe's is one link away."""
        assert self._payments is not None
        form = await read_form(exchange, visitor)
        try:
            # The buttons have amounts of their own; what was typed counts for the one that says so.
            amount = read_cents(form.get("choice") or form.get("amount", ""), least=TOP_UP_CENTS_MIN)
            back = f"{self._origin(exchange)}{PATH}/payments/{{payment}}"
            payment, _ = await self._payments.topping_up.begin(visitor.account, amount, back)
        except AmountError as error:
            return await self._again(exchange, visitor, status=400, error=str(error))
        except NoPayerError:
            return self._leaving(exchange, visitor)
        except (ProcessorAwayError, ProcessorRefusedError):
            return await self._again(exchange, visitor, status=503, error=AWAY)
        return see_other(f"{PATH}/payments/{payment.id}")

    async def payment(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """How far a payment is: paid, on its way, or still to be paid. Where that is not final, Stripe is asked."""
        assert self._payments is not None
        match = _PAYMENT.fullmatch(exchange.path)
        assert match is not None
        payment = await self._payments.records.find(visitor.account, uuid.UUID(match[1]))
        if payment is None:
            return self._none(exchange, visitor)
        url = None
        if payment.state in ("begun", "open", "processing"):
            try:
                checkout = await self._payments.topping_up.look(payment)
            except (ProcessorAwayError, ProcessorRefusedError):
                return self._notices.page(exchange, Notice("Stripe is away", (AWAY,), _BACK), visitor, status=503)
            url = checkout.url if checkout is not None else None
            payment = await self._payments.records.find(visitor.account, payment.id) or payment
        if payment.state == "open" and url is not None and exchange.query != "cancelled":
            return self._pages.reply(exchange, "pay.html.jinja", PayView(payment.amount_nanousd, url), visitor)
        return self._notices.page(exchange, _told(payment, exchange.query), visitor, status=200)

    async def development_credit(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """Credit for nothing, where nothing is for sale: in development, on this machine."""
        await read_form(exchange, visitor)
        if self._parts.settings.production or not is_local_name(exchange.request.headers.get("host", "")):
            return self._none(exchange, visitor)
        await self._accounts.credit(visitor.account, DEVELOPMENT_CREDIT_NANOUSD, "grant")
        return see_other(PATH)

    async def automatic(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """Switches automatic top-up on, or off."""
        assert self._payments is not None
        form = await read_form(exchange, visitor)
        if form.get("switch") == "off":
            await self._payments.automatic.withdraw(visitor.account)
            return see_other(PATH)
        try:
            terms = Terms(
                read_cents(form.get("threshold", ""), least=1_00),
                read_cents(form.get("top_up", ""), least=TOP_UP_CENTS_MIN),
                read_cents(form.get("monthly_max", ""), least=TOP_UP_CENTS_MIN, most=10 * TOP_UP_CENTS_MAX),
            )
            if form.get("consent") != "yes":
                raise AmountError("Tick the box to agree: without that nothing is charged.")
            if terms.top_up_cents > terms.monthly_max_cents:
                raise AmountError("The monthly sum is less than one top-up.")
            await self._payments.automatic.agree(visitor.account, terms)
        except AmountError as error:
            return await self._again(exchange, visitor, status=400, automatic_error=str(error))
        except NoPayerError:
            return self._leaving(exchange, visitor)
        return see_other(PATH)

    async def invoices(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """Stripe's invoices: the list is ours, the pages behind the links are Stripe's."""
        assert self._payments is not None
        try:
            found = await self._payments.invoices(visitor.account)
        except (ProcessorAwayError, ProcessorRefusedError):
            return self._notices.page(exchange, Notice("Stripe is away", (AWAY,), _BACK), visitor, status=503)
        lines = [(invoice, nanousd(invoice.total_cents)) for invoice in found]
        view: list[tuple[Invoice, int]] = lines
        return self._pages.reply(exchange, "invoices.html.jinja", view, visitor)

    # Refunds.

    async def refund(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """What a refund of everything unused would be, before anything happens."""
        wanted = re.fullmatch(r"amount=([0-9.]{1,12})", exchange.query)
        return await self._quoted(exchange, visitor, wanted[1] if wanted else "")

    async def refund_now(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """Refunds exactly what was told."""
        assert self._payments is not None
        form = await read_form(exchange, visitor)
        wanted = form.get("wanted", "")
        try:
            told = int(form.get("credit", "")), int(form.get("paid", ""))
            amount = read_cents(wanted) if wanted else None
        except (ValueError, AmountError):
            return await self._quoted(exchange, visitor, "", error="Look at the amounts once more.")
        try:
            await self._payments.refunding.request(visitor.account, told, amount)
        except RefundChangedError:
            error = "Meanwhile the amounts have changed. These are the new ones."
            return await self._quoted(exchange, visitor, wanted, error=error)
        return see_other(PATH)

    async def _quoted(self, exchange: Exchange, visitor: Visitor, wanted: str, error: str = "") -> Reply:
        assert self._payments is not None
        amount = None
        try:
            amount = read_cents(wanted) if wanted else None
        except AmountError as problem:
            wanted, error = "", str(problem)
        try:
            quote = await self._payments.refunding.quote(visitor.account, amount)
        except (ProcessorAwayError, ProcessorRefusedError):
            return self._notices.page(exchange, Notice("Stripe is away", (AWAY,), _BACK), visitor, status=503)
        view = RefundView(quote, wanted, quote.credit_nanousd, quote.paid_nanousd, quote.fee_nanousd, error)
        return self._pages.reply(exchange, "refund.html.jinja", view, visitor, status=409 if error else 200)

    # Statement.

    async def statement(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """What changed the balance in a month."""
        start, end, before = _month(exchange.query)
        found = await self._ledger.statement(visitor.account, start, end)
        view = StatementView(
            start.strftime("%Y-%m"),
            before.strftime("%Y-%m"),
            end.strftime("%Y-%m") if end <= datetime.now(UTC) else "",
            found.opening_nanousd,
            found.closing_nanousd,
            rows_of(found),
        )
        return self._pages.reply(exchange, "statement.html.jinja", view, visitor)

    async def statement_csv(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        """The same for a spreadsheet: amounts in dollars, exactly, oldest first."""
        start, end, _ = _month(exchange.query)
        found = await self._ledger.statement(visitor.account, start, end)
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(("time", "kind", "entries", "amount_usd", "balance_usd"))
        for line in found.lines:
            exact = (_exact(line.amount_nanousd), _exact(line.balance_nanousd))
            writer.writerow((line.occurred_at.isoformat(), line.kind, line.entries, *exact))
        name = f"statement-{start:%Y-%m}.csv"
        headers = [
            ("content-type", "text/csv; charset=utf-8"),
            ("content-disposition", f'attachment; filename="{name}"'),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
        ]
        return Reply(headers=headers, body=out.getvalue().encode())

    def _origin(self, exchange: Exchange) -> str:
        """Where Stripe leads back to: in development this machine, as the browser calls it."""
        host = exchange.request.headers.get("host", "")
        if not self._parts.settings.production and is_local_name(host):
            return f"http://{host}"
        return self._parts.deployment.identity.url.rstrip("/")

    def _none(self, exchange: Exchange, visitor: Visitor) -> Reply:
        message = Notice("There is no such page", ("Perhaps it belongs to another account.",), _BACK)
        return self._notices.page(exchange, message, visitor, status=404)

    def _leaving(self, exchange: Exchange, visitor: Visitor) -> Reply:
        text = "The deletion of this account has begun, so nothing can be paid in. Take the deletion back first."
        message = Notice("This account is being deleted", (text,), (Way("/account/privacy", "Your data"), *_BACK))
        return self._notices.page(exchange, message, visitor, status=409)


def _told(payment: Payment, query: str) -> Notice:
    amount = f"${payment.amount_nanousd // 10**9:,}.{payment.amount_nanousd // 10**7 % 100:02d}"
    links = _BACK
    match payment.state:
        case "paid" | "disputed":
            return Notice("Thank you", (f"{amount} is on your balance. Stripe has sent the invoice.",), links)
        case "processing":
            text = f"{amount} is on its way. Some ways to pay take days; it is on your balance as soon as it comes."
            return Notice("Your payment is on its way", (text,), links)
        case "open" if query == "cancelled":
            text = f"You have left Stripe's page, and {amount} was not paid. The page can still be used for a while."
            again = (Way(f"{PATH}/payments/{payment.id}", "Go on with the payment"), *links)
            return Notice("Not paid", (text,), again)
        case "failed":
            return Notice("The payment failed", ("Nothing was charged. Try again, or with another card.",), links)
        case _:
            return Notice("Not paid", ("Nothing was charged. Begin again whenever you like.",), links)


def _month(query: str) -> tuple[datetime, datetime, datetime]:
    """Start and end of the month that is asked for, and the start of the one before; this month otherwise."""
    match = _MONTH.fullmatch(query)
    now = datetime.now(UTC)
    year, month = (int(match[1]), int(match[2])) if match else (now.year, now.month)
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    before = datetime(year - (month == 1), (month - 2) % 12 + 1, 1, tzinfo=UTC)
    return start, end, before


def _exact(nanousd: int) -> str:
    whole, rest = divmod(abs(nanousd), 10**9)
    return f"{'-' if nanousd < 0 else ''}{whole}.{rest:09d}"
