"""Payments as the rest of the service sees them: put together once, in a service and in a worker alike."""

import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crouter.contract.deployment import Deployment
from crouter.runtime.credit.credit import Credit
from crouter.runtime.database.pool import Database
from crouter.runtime.ledger import Ledger
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.payments.automatic import Automatic
from crouter.runtime.payments.booking import Booking, Outcome
from crouter.runtime.payments.events import Events
from crouter.runtime.payments.processor import (
    BalanceTransaction,
    Invoice,
    Processor,
    ProcessorRefusedError,
    open_processor,
)
from crouter.runtime.payments.records import PaymentRecords
from crouter.runtime.payments.refunding import Refunding
from crouter.runtime.payments.settings import PaymentSettings
from crouter.runtime.payments.topping_up import ToppingUp
from crouter.runtime.payments.webhook import read_event
from crouter.runtime.purposes import PurposeReader

QUIET_SECONDS: Final = 120
"""So long a message is waited for before Stripe is asked."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What a round of asking found: payments and refunds looked at, fees learned, accounts topped up."""

    payments: int = 0
    refunds: int = 0
    fees: int = 0
    topped_up: int = 0
    refused: int = 0
    """What Stripe does not know or does not allow; somebody has to look."""


class Payments:
    """Everything about payments. Methods raise DatabaseError, ProcessorAwayError, ProcessorRefusedError."""

    def __init__(
        self,
        deployment: Deployment,
        settings: PaymentSettings,
        database: Database,
        processor: Processor,
        *,
        reader: PurposeReader,
        outbox: Outbox,
        credit: Credit | None,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._processor = processor
        self._now = now
        self.ledger = Ledger(deployment, database)
        self.records = PaymentRecords(deployment, database)
        booking = Booking(self.records, self.ledger, outbox)
        self.events = Events(database, self.records, booking, processor)
        self.topping_up = ToppingUp(deployment, self.records, booking, self.events, processor, reader, now)
        self.refunding = Refunding(deployment, self.records, booking, processor, self.topping_up, credit, now)
        self.automatic = Automatic(self.records, self.ledger, self.topping_up, now)

    async def receive(self, body: bytes, signature: str) -> Outcome:
        """Applies a message of Stripe's. Raises WebhookRefusedError for one that is not to be believed."""
        return await self.events.apply(read_event(self._settings, body, signature, self._now()))

    async def invoices(self, account: uuid.UUID) -> Sequence[Invoice]:
        """The newest paid invoices of an account."""
        profile = await self.records.read_profile(account)
        if profile is None or profile.customer is None:
            return ()
        return await self._processor.invoices(profile.customer)

    def balance_transactions(self, since: datetime) -> AsyncIterator[BalanceTransaction]:
        """Every movement of the operator's balance at Stripe since a moment, newest first."""
        return self._processor.balance_transactions(since)

    async def customer(self, account: uuid.UUID) -> str | None:
        """The pointer to what Stripe has about an account."""
        profile = await self.records.read_profile(account)
        return profile.customer if profile is not None else None

    async def delete_customer(self, pointer: str) -> None:
        """Has Stripe delete what `customer` points to; once more changes nothing."""
        await self._processor.delete_customer(pointer)

    async def catch_up(self, stopped: Callable[[], bool] = lambda: False) -> CaughtUp:
        """Asks Stripe what became of payments and refunds of which no message came, and tops up what is due."""
        before = self._now() - timedelta(seconds=QUIET_SECONDS)
        payments = [self.topping_up.look(payment) for payment in await self.records.unsettled(before)]
        refunds = [self.refunding.send_again(*refund) for refund in await self.records.open_refunds(before)]
        fees = [self.topping_up.learn_fee(payment) for payment in await self.records.without_fee()]
        refused = await _each([*payments, *refunds, *fees], stopped)
        topped_up = await self.automatic.top_up_all(stopped)
        return CaughtUp(len(payments), len(refunds), len(fees), topped_up, refused)


async def _each(work: Sequence[Coroutine[Any, Any, object]], stopped: Callable[[], bool]) -> int:
    """Does one after the other; how many Stripe refused. Those must not stand in the way of the others."""
    refused = 0
    waiting = list(work)
    try:
        while waiting and not stopped():
            try:
                await waiting.pop(0)
            except ProcessorRefusedError:
                refused += 1
    finally:
        for left in waiting:
            left.close()
    return refused


@asynccontextmanager
async def open_payments(
    deployment: Deployment,
    settings: PaymentSettings,
    database: Database,
    *,
    production: bool,
    reader: PurposeReader,
    outbox: Outbox,
    credit: Credit | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncIterator[Payments]:
    """Payments with a way to Stripe, until the block ends."""
    async with open_processor(deployment, settings, production=production) as processor:
        yield Payments(deployment, settings, database, processor, reader=reader, outbox=outbox, credit=credit, now=now)
