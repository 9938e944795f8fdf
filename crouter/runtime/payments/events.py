"""Applies events: each in one transaction with the note that it was seen. Which event means what stands in `_MEANINGS`.

A message that repeats an event is applied again, which changes nothing. A message that is the same to the second of its
signature is a replay, and refused: Stripe signs anew whenever it repeats one.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from psycopg import sql

from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import PAYMENT_EVENT
from crouter.runtime.payments.booking import Booking, Dispute, Outcome, Paid
from crouter.runtime.payments.processor import Checkout, Intent, Processor, checkout_of, intent_of, refund_of
from crouter.runtime.payments.records import PaymentRecords
from crouter.runtime.payments.webhook import Event, WebhookRefusedError

_Apply = Callable[[Connection], Awaitable[tuple[Outcome, str | None]]]
_IGNORED: Final[tuple[Outcome, None]] = ("ignored", None)


class Events:
    """Applies what Stripe tells. `processor` is asked only for what an event does not say itself."""

    def __init__(self, database: Database, records: PaymentRecords, booking: Booking, processor: Processor) -> None:
        self._database = database
        self._records = records
        self._booking = booking
        self._processor = processor
        # A row that is there already is taken only by a message that was signed later.
        self._note = sql.SQL(
            "INSERT INTO {table} AS e (id, event, kind, outcome, signed_at, received_at) "
            "VALUES (%s, %s, %s, 'ignored', %s, %s) ON CONFLICT (event) DO UPDATE SET signed_at = excluded.signed_at "
            "WHERE e.signed_at < excluded.signed_at"
        ).format(table=database.table(PAYMENT_EVENT))
        self._mark = sql.SQL("UPDATE {} SET outcome = %s, reference = %s WHERE event = %s").format(
            database.table(PAYMENT_EVENT)
        )

    async def apply(self, event: Event) -> Outcome:
        """What came of it. Raises WebhookRefusedError for a replay, DatabaseError, ProcessorAwayError."""
        meaning = _MEANINGS.get(event.type)
        if meaning is None:
            return "ignored"
        try:
            apply = await meaning(self, event.told)
        except (KeyError, TypeError, ValueError):
            raise WebhookRefusedError("not_an_event") from None
        async with self._database.transaction() as connection:
            values = (uuid.uuid4(), event.id, event.type, event.signed_at, datetime.now(UTC))
            if (await connection.execute(self._note, values)).rowcount == 0:
                raise WebhookRefusedError("replayed")
            outcome, reference = await apply(connection)
            await connection.execute(self._mark, (outcome, reference, event.id))
        return outcome

    async def apply_checkout(self, checkout: Checkout) -> Outcome:
        """What Stripe says of a page when it is asked. Raises DatabaseError, ProcessorAwayError."""
        return await self._applied(await self._checkout(checkout))

    async def apply_intent(self, intent: Intent) -> Outcome:
        """What Stripe says of a payment when it is asked. Raises DatabaseError."""
        return await self._applied(self._intent(intent))

    async def _applied(self, apply: _Apply) -> Outcome:
        async with self._database.transaction() as connection:
            outcome, _ = await apply(connection)
        return outcome

    # What each kind of event means. What has to be asked for is asked for before the transaction.

    async def _on_checkout(self, told: Mapping[str, Any]) -> _Apply:
        return await self._checkout(checkout_of(told))

    async def _on_failed_checkout(self, told: Mapping[str, Any]) -> _Apply:
        checkout = checkout_of(told)

        async def apply(connection: Connection) -> tuple[Outcome, str | None]:
            if checkout.payment is None:
                return _IGNORED
            return await self._booking.progressed(connection, checkout.payment, "failed", checkout=checkout.id), None

        return apply

    async def _checkout(self, checkout: Checkout) -> _Apply:
        intent = checkout.intent
        is_paid = checkout.status == "complete" and checkout.payment_status == "paid" and intent is not None
        method = None
        if is_paid and intent is not None and await self._wants_method(checkout):
            method = (await self._processor.intent(intent)).method

        async def apply(connection: Connection) -> tuple[Outcome, str | None]:
            if checkout.payment is None:
                return _IGNORED
            booking, known = self._booking, {"checkout": checkout.id}
            if is_paid and intent is not None:
                paid = Paid(checkout.payment, intent, checkout.amount_cents, checkout.currency, method)
                return await booking.paid(connection, paid), intent
            if checkout.status == "expired":
                return await booking.progressed(connection, checkout.payment, "expired", **known), None
            state: Any = "processing" if checkout.status == "complete" else "open"
            return await booking.progressed(connection, checkout.payment, state, **known), None

        return apply

    async def _wants_method(self, checkout: Checkout) -> bool:
        """Whether the payer agreed to automatic top-ups, whose means of payment is still to be learned."""
        if checkout.payment is None:
            return False
        async with self._database.transaction() as connection:
            payment = await self._records.locked(connection, checkout.payment)
            profile = await self._records.profile(connection, payment.account) if payment is not None else None
        return profile is not None and profile.automatic == "wanted"

    async def _on_intent(self, told: Mapping[str, Any]) -> _Apply:
        return self._intent(intent_of(told))

    def _intent(self, intent: Intent) -> _Apply:
        async def apply(connection: Connection) -> tuple[Outcome, str | None]:
            if intent.payment is None:
                return _IGNORED
            if intent.status == "succeeded":
                paid = Paid(intent.payment, intent.id, intent.received_cents, intent.currency, intent.method)
                outcome = await self._booking.paid(connection, paid)
                if outcome == "applied":
                    await self._booking.fee(connection, intent)
                return outcome, intent.id
            payment = await self._records.locked(connection, intent.payment)
            # On a page somebody may try another card; what is charged automatically is tried once.
            is_over = intent.status == "canceled" or intent.status == "requires_payment_method"
            if payment is not None and payment.cause == "automatic" and is_over:
                return await self._booking.progressed(connection, payment.id, "failed", intent=intent.id), None
            return _IGNORED

        return apply

    async def _on_refund(self, told: Mapping[str, Any]) -> _Apply:
        refund = refund_of(told)
        payment = await self._payment_of(refund.intent)

        async def apply(connection: Connection) -> tuple[Outcome, str | None]:
            if payment is None:
                return _IGNORED
            return await self._booking.refunded(connection, payment, refund), refund.intent

        return apply

    async def _on_dispute(self, told: Mapping[str, Any]) -> _Apply:
        intent, status = told["payment_intent"], told["status"]
        moved = told.get("balance_transactions") or ()
        fees = tuple((item["id"], item["fee"]) for item in moved if item["currency"] == told["currency"])
        dispute = Dispute(told["id"], intent or "", told["amount"], told["currency"], fees)
        payment = await self._payment_of(intent)

        async def apply(connection: Connection) -> tuple[Outcome, str | None]:
            # An inquiry moves no money; what comes of it is told by another event.
            if payment is None or status.startswith("warning_"):
                return _IGNORED
            if status == "won":
                outcome = await self._booking.dispute_won(connection, payment, dispute)
            else:
                outcome = await self._booking.disputed(connection, payment, dispute)
            if outcome == "applied":
                await self._booking.dispute_fees(connection, dispute)
            return outcome, intent

        return apply

    async def _on_reinstated(self, told: Mapping[str, Any]) -> _Apply:
        return await self._on_dispute({**told, "status": "won"})

    async def _payment_of(self, intent: str | None) -> Any:
        """Our payment that Stripe calls so: Stripe is asked where news of it have not come yet."""
        if intent is None:
            return None
        async with self._database.transaction() as connection:
            found = await self._records.by_intent(connection, intent)
        return found or (await self._processor.intent(intent)).payment


_Meaning = Callable[[Events, Mapping[str, Any]], Awaitable[_Apply]]
_MEANINGS: Final[Mapping[str, _Meaning]] = {
    "checkout.session.completed": Events._on_checkout,
    "checkout.session.async_payment_succeeded": Events._on_checkout,
    "checkout.session.async_payment_failed": Events._on_failed_checkout,
    "checkout.session.expired": Events._on_checkout,
    "payment_intent.succeeded": Events._on_intent,
    "payment_intent.payment_failed": Events._on_intent,
    "payment_intent.canceled": Events._on_intent,
    "refund.created": Events._on_refund,
    "refund.updated": Events._on_refund,
    "refund.failed": Events._on_refund,
    "charge.dispute.created": Events._on_dispute,
    "charge.dispute.funds_withdrawn": Events._on_dispute,
    "charge.dispute.funds_reinstated": Events._on_reinstated,
    "charge.dispute.closed": Events._on_dispute,
}
EVENT_TYPES: Final = tuple(_MEANINGS)
"""What the webhook endpoint has to be subscribed to."""
