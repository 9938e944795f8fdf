"""Begins payments on a page of Stripe's, and finds out what became of them when no message came."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.names import ACCOUNT
from crouter.runtime.payments.booking import Booking
from crouter.runtime.payments.events import Events
from crouter.runtime.payments.money import cents, nanousd
from crouter.runtime.payments.processor import Checkout, Processor, ProcessorRefusedError
from crouter.runtime.payments.records import Payment, PaymentRecords, Profile
from crouter.runtime.purposes import PurposeReader

BEGUN_SECONDS: Final = 3600
"""After so long a payment whose page was never made will not be made any more."""
REPEATED_SECONDS: Final = 20 * 3600
"""Stripe knows a repeated request again for a day."""
EMAIL_PURPOSE: Final = "billing_notices"


class ToppingUp:
    """Checkout. Methods raise DatabaseError, ProcessorAwayError, ProcessorRefusedError."""

    def __init__(
        self,
        deployment: Deployment,
        records: PaymentRecords,
        booking: Booking,
        events: Events,
        processor: Processor,
        reader: PurposeReader,
        now: Callable[[], datetime],
    ) -> None:
        self._label = f"{deployment.identity.name} credit"
        self._records = records
        self._booking = booking
        self._events = events
        self._processor = processor
        self._reader = reader
        self._now = now

    async def begin(self, account: uuid.UUID, amount_cents: int, back_url: str) -> tuple[Payment, Checkout]:
        """A payment of so much and the page to pay it on. `{payment}` in `back_url` becomes the payment's id.

        Raises NoPayerError for an account that is gone or going.
        """
        profile = await self.with_customer(account)
        payment = Payment(
            uuid.uuid4(), account, "checkout", "begun", None, None, nanousd(amount_cents), 0, None, self._now()
        )
        async with self._records.database.transaction() as connection:
            await self._records.add(connection, payment)
        assert profile.customer is not None
        checkout = await self._processor.make_checkout(
            payment.id,
            amount_cents,
            profile.customer,
            back_url.replace("{payment}", str(payment.id)),
            label=self._label,
            begun_at=payment.created_at,
            saves_method=profile.automatic == "wanted",
        )
        async with self._records.database.transaction() as connection:
            await self._booking.progressed(connection, payment.id, "open", checkout=checkout.id)
        return payment, checkout

    async def with_customer(self, account: uuid.UUID) -> Profile:
        """The account's settings, with the customer that it is at Stripe. Raises NoPayerError."""
        profile = await self._records.make_profile(account)
        if profile.customer is None:
            email = await self._reader.field(ACCOUNT, "email", EMAIL_PURPOSE, key=account)
            customer = await self._processor.make_customer(profile.id, email)
            await self._records.set_customer(profile.id, customer)
            profile = await self._records.make_profile(account)
        return profile

    async def look(self, payment: Payment) -> Checkout | None:
        """Asks Stripe how far a payment is, and applies that; gives its page where there is one."""
        if payment.checkout is not None:
            checkout = await self._processor.checkout(payment.checkout)
            await self._events.apply_checkout(checkout)
            return checkout
        if payment.intent is not None:
            await self._events.apply_intent(await self._processor.intent(payment.intent))
        elif payment.cause == "automatic" and self._now() - payment.created_at < timedelta(seconds=REPEATED_SECONDS):
            # Whoever charged it was cut off. Asked again, Stripe gives the same answer as then.
            await self.charge(payment, await self.with_customer(payment.account))
        elif self._now() - payment.created_at > timedelta(seconds=BEGUN_SECONDS):
            async with self._records.database.transaction() as connection:
                await self._booking.progressed(connection, payment.id, "expired")
        return None

    async def learn_fee(self, payment: Payment) -> None:
        """Asks Stripe what it kept of a payment."""
        if payment.intent is None:
            return
        intent = await self._processor.intent(payment.intent)
        async with self._records.database.transaction() as connection:
            await self._booking.fee(connection, intent)

    async def charge(self, payment: Payment, profile: Profile) -> bool:
        """Charges a stored means of payment for a payment that has begun; whether it was paid."""
        if profile.customer is None or profile.method is None:
            return await self._not_paid(payment)
        try:
            intent = await self._processor.charge_method(
                payment.id, cents(payment.amount_nanousd), profile.customer, profile.method, self._label
            )
        except ProcessorRefusedError:
            return await self._not_paid(payment)
        if intent.status == "succeeded":
            return await self._events.apply_intent(intent) == "applied"
        # Whoever is asked to confirm is not there: it counts as failed, and nothing is charged later.
        is_under_way = intent.status == "processing"
        async with self._records.database.transaction() as connection:
            state = "processing" if is_under_way else "failed"
            await self._booking.progressed(connection, payment.id, state, intent=intent.id)  # type: ignore[arg-type]
        return is_under_way

    async def _not_paid(self, payment: Payment) -> bool:
        async with self._records.database.transaction() as connection:
            await self._booking.progressed(connection, payment.id, "failed")
        return False
