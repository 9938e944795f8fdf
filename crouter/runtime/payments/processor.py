"""What Stripe is asked, in words of our own: each answer is reduced to what is needed, and errors become two kinds.

Money is in cents of a US dollar here, as Stripe has it. Card details are in none of the answers that are kept.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import stripe

from crouter.contract.deployment import Deployment
from crouter.runtime.egress import open_data
from crouter.runtime.payments.money import CURRENCY
from crouter.runtime.payments.settings import STRIPE, PaymentSettings
from crouter.runtime.payments.stripe_transport import EgressTransport

API_VERSION: Final = "2026-10-28.endive"
"""The version of Stripe's API whose shapes this module reads; the webhook endpoint has to be set to its like."""
RETRIES: Final = 2
CHECKOUT_SECONDS: Final = 35 * 60
PAYMENT: Final = "crouter_payment"
REFUND: Final = "crouter_refund"
"""Under these names our own ids stand in Stripe's metadata. They name rows of ours and nobody."""

Told = Mapping[str, Any]
"""What Stripe says, as its JSON has it."""
_Answer = TypeVar("_Answer")


class ProcessorAwayError(Exception):
    """Stripe could not be reached, or has trouble of its own: it may have done what was asked, or not."""


class ProcessorRefusedError(Exception):
    """Stripe refused. `code` is Stripe's word for why, such as `card_declined`; never a sentence of theirs."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment at Stripe. `payment` is our row as the metadata names it; None for a payment that is not ours."""

    id: str
    status: str
    amount_cents: int
    received_cents: int
    currency: str
    payment: uuid.UUID | None
    method: str | None
    fee_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page of Stripe's on which something is paid. `url` is None when it can be paid there no more."""

    id: str
    status: str
    payment_status: str
    amount_cents: int
    currency: str
    payment: uuid.UUID | None
    intent: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class ProcessorRefund:
    """A refund at Stripe. `refund` is our row; None for one that was made elsewhere, as in Stripe's dashboard."""

    id: str
    status: str
    amount_cents: int
    currency: str
    intent: str | None
    refund: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Invoice:
    """A paid invoice. Its pages are Stripe's."""

    number: str
    created_at: datetime
    total_cents: int
    url: str | None
    pdf_url: str | None


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of the operator's balance at Stripe. `net_cents` is `amount_cents` less `fee_cents`."""

    id: str
    type: str
    reporting_category: str
    amount_cents: int
    fee_cents: int
    net_cents: int
    currency: str
    source: str | None
    created_at: datetime


class Processor:
    """Stripe. Every method raises ProcessorAwayError and ProcessorRefusedError."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client = client.v1

    async def make_customer(self, profile: uuid.UUID, email: str) -> str:
        """A customer for the account with those settings; the same one when it is asked again."""
        with _translated():
            customer = await self._client.customers.create_async(
                {"email": email}, {"idempotency_key": f"customer-{profile}"}
            )
            return customer.id

    async def delete_customer(self, customer: str) -> None:
        """Has Stripe delete a customer; that there is none any more is as good."""
        try:
            await _asked(self._client.customers.delete_async(customer))
        except ProcessorRefusedError as error:
            if error.code != "resource_missing":
                raise

    async def make_checkout(
        self,
        payment: uuid.UUID,
        cents: int,
        customer: str,
        back_url: str,
        *,
        label: str,
        begun_at: datetime,
        saves_method: bool,
    ) -> Checkout:
        """A page on which so much is paid; asked again with the same words, the same one.

        `back_url` is where the payer comes back to.
        """
        intent: dict[str, Any] = {"metadata": {PAYMENT: str(payment)}}
        if saves_method:
            intent["setup_future_usage"] = "off_session"
        params: Any = {
            "mode": "payment",
            "customer": customer,
            "client_reference_id": str(payment),
            "metadata": {PAYMENT: str(payment)},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {"currency": CURRENCY, "unit_amount": cents, "product_data": {"name": label}},
                }
            ],
            "payment_intent_data": intent,
            "invoice_creation": {"enabled": True},
            # Our balance is in dollars: a price in another currency would be paid with another amount.
            "adaptive_pricing": {"enabled": False},
            "success_url": back_url,
            "cancel_url": f"{back_url}?cancelled",
            "expires_at": int((begun_at + timedelta(seconds=CHECKOUT_SECONDS)).timestamp()),
        }
        options: Any = {"idempotency_key": f"checkout-{payment}"}
        return checkout_of((await _asked(self._client.checkout.sessions.create_async(params, options))).to_dict())

    async def checkout(self, checkout: str) -> Checkout:
        """How far a page is."""
        return checkout_of((await _asked(self._client.checkout.sessions.retrieve_async(checkout))).to_dict())

    async def intent(self, intent: str) -> Intent:
        """How far a payment is, with the fee where it is known."""
        expanded: Any = {"expand": ["latest_charge.balance_transaction"]}
        return intent_of((await _asked(self._client.payment_intents.retrieve_async(intent, expanded))).to_dict())

    async def charge_method(self, payment: uuid.UUID, cents: int, customer: str, method: str, label: str) -> Intent:
        """Charges a stored means of payment without its owner being there; asked again, the same payment."""
        params: Any = {
            "amount": cents,
            "currency": CURRENCY,
            "customer": customer,
            "payment_method": method,
            "off_session": True,
            "confirm": True,
            "description": label,
            "metadata": {PAYMENT: str(payment)},
        }
        options: Any = {"idempotency_key": f"automatic-{payment}"}
        return intent_of((await _asked(self._client.payment_intents.create_async(params, options))).to_dict())

    async def make_refund(self, refund: uuid.UUID, intent: str, cents: int) -> ProcessorRefund:
        """Pays so much of a payment back; asked again, the same refund."""
        params: Any = {"payment_intent": intent, "amount": cents, "metadata": {REFUND: str(refund)}}
        options: Any = {"idempotency_key": f"refund-{refund}"}
        return refund_of((await _asked(self._client.refunds.create_async(params, options))).to_dict())

    async def refunds(self, intent: str) -> tuple[ProcessorRefund, ...]:
        """Every refund of a payment."""
        with _translated():
            page = await self._client.refunds.list_async({"payment_intent": intent, "limit": 100})
            return tuple([refund_of(refund.to_dict()) async for refund in page.auto_paging_iter()])

    async def invoices(self, customer: str, limit: int = 24) -> tuple[Invoice, ...]:
        """The newest paid invoices of a customer."""
        page: Any = await _asked(
            self._client.invoices.list_async({"customer": customer, "status": "paid", "limit": limit})
        )
        return tuple(
            Invoice(
                item.number or item.id, _moment(item.created), item.total, item.hosted_invoice_url, item.invoice_pdf
            )
            for item in page.data
        )

    async def balance_transactions(self, since: datetime) -> AsyncIterator[BalanceTransaction]:
        """Every movement of the balance at Stripe since a moment, newest first."""
        with _translated():
            page = await self._client.balance_transactions.list_async(
                {"created": {"gte": int(since.timestamp())}, "limit": 100}
            )
            async for item in page.auto_paging_iter():
                yield BalanceTransaction(
                    item.id,
                    item.type,
                    item.reporting_category,
                    item.amount,
                    item.fee,
                    item.net,
                    item.currency,
                    _id(item.source),
                    _moment(item.created),
                )


@asynccontextmanager
async def open_processor(
    deployment: Deployment, settings: PaymentSettings, *, production: bool
) -> AsyncIterator[Processor]:
    """Stripe, through our egress. Raises EgressRefusedError when it is asked at a host that is not declared."""
    # It would write an id of this machine into the home folder, and tell it.
    stripe.enable_telemetry = False
    origin = settings.api_base
    async with open_data(deployment, STRIPE, origin, production=production) as channel:
        yield Processor(
            stripe.StripeClient(
                settings.key.reveal(),
                stripe_version=API_VERSION,
                base_addresses={"api": origin},
                max_network_retries=RETRIES,
                http_client=EgressTransport(channel, origin),
            )
        )


def checkout_of(told: Told) -> Checkout:
    """A checkout session as an answer or an event has it."""
    return Checkout(
        told["id"],
        told["status"] or "",
        told["payment_status"],
        told["amount_total"] or 0,
        told["currency"] or "",
        _own(told, PAYMENT),
        _id(told.get("payment_intent")),
        told.get("url"),
    )


def intent_of(told: Told) -> Intent:
    """A payment intent as an answer or an event has it."""
    charge = told.get("latest_charge")
    transaction = None if charge is None or isinstance(charge, str) else charge.get("balance_transaction")
    return Intent(
        told["id"],
        told["status"],
        told["amount"],
        told["amount_received"] or 0,
        told["currency"],
        _own(told, PAYMENT),
        _id(told.get("payment_method")),
        None if transaction is None or isinstance(transaction, str) else _fee_cents(transaction),
    )


def refund_of(told: Told) -> ProcessorRefund:
    """A refund as an answer or an event has it."""
    return ProcessorRefund(
        told["id"],
        told["status"] or "pending",
        told["amount"],
        told["currency"],
        _id(told.get("payment_intent")),
        _own(told, REFUND),
    )


def _fee_cents(transaction: Told) -> int | None:
    """The fee in cents of a dollar, rounded up; an account at Stripe that is not in dollars has a rate."""
    if transaction["currency"] == CURRENCY:
        return int(transaction["fee"])
    rate = transaction["exchange_rate"]
    return None if not rate else -int(-transaction["fee"] // rate)


def _own(told: Told, name: str) -> uuid.UUID | None:
    metadata: Mapping[str, str] = told.get("metadata") or {}
    try:
        return uuid.UUID(metadata.get(name, ""))
    except ValueError:
        return None


def _id(told: Any) -> str | None:
    """Of what may be an id or the whole object."""
    return told if told is None or isinstance(told, str) else str(told["id"])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


async def _asked(answer: Awaitable[_Answer]) -> _Answer:
    with _translated():
        return await answer


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Of the SDK's errors nothing leaves but a word: their text quotes requests, and may name a card."""
    try:
        yield
    except (stripe.CardError, stripe.InvalidRequestError, stripe.IdempotencyError) as error:
        raise ProcessorRefusedError(_code(error)) from None
    except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError):
        raise ProcessorAwayError from None
    except stripe.StripeError as error:
        # A wrong key, a right that the key lacks: only the operator can mend it.
        raise ProcessorRefusedError(type(error).__name__) from None


def _code(error: stripe.StripeError) -> str:
    code = error.code or type(error).__name__
    return code if code.replace("_", "").isalnum() and len(code) <= 60 else type(error).__name__
