"""Pays unused credit back, less what the processor kept of the payments.

Which credit is unused is said once, here: credit that was given is used first, then what was paid, the oldest payment
first. So what is left is of the newest payments, and those are paid back, newest first, each at most once in full.
Stripe keeps its fee of a payment also when it is refunded: the share that falls on what is paid back is left out,
rounded up to a cent. What processes have set aside for requests is not unused, nor what batches hold; and a disputed
payment is not paid back.
"""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.credit.credit import Credit
from crouter.runtime.credit.spendable import spendable_of
from crouter.runtime.database.pool import Connection
from crouter.runtime.payments.booking import Booking
from crouter.runtime.payments.money import cents, nanousd
from crouter.runtime.payments.processor import Processor, ProcessorAwayError, ProcessorRefusedError
from crouter.runtime.payments.records import Payment, PaymentRecords, Refund
from crouter.runtime.payments.topping_up import ToppingUp

CALLED_IN_SECONDS: Final = 0.3


class RefundChangedError(Exception):
    """What would be paid back is not what was told: the balance, or what Stripe kept, has changed meanwhile."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of one payment: how much credit goes, and how much is paid back for it."""

    payment: Payment
    credit_nanousd: int
    paid_nanousd: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What a refund would be. `unused_nanousd` is all that could be, `set_aside_nanousd` is in use just now."""

    parts: tuple[Part, ...]
    unused_nanousd: int
    set_aside_nanousd: int

    @property
    def credit_nanousd(self) -> int:
        return sum(part.credit_nanousd for part in self.parts)

    @property
    def paid_nanousd(self) -> int:
        return sum(part.paid_nanousd for part in self.parts)

    @property
    def fee_nanousd(self) -> int:
        return self.credit_nanousd - self.paid_nanousd


def divided(payments: Sequence[Payment], unused_nanousd: int, wanted_cents: int | None) -> tuple[Part, ...]:
    """How a refund of so much, or of all, falls on payments; they come newest first, and their fees are known.

    Both sums of each part are whole cents, and no part pays back more than was paid.
    """
    left = cents(max(0, unused_nanousd))
    left = left if wanted_cents is None else min(left, wanted_cents)
    parts = []
    for payment in payments:
        if payment.fee_nanousd is None:
            continue
        credit = min(left, cents(payment.amount_nanousd - payment.refunded_nanousd))
        paid = credit - _fee_cents(payment, credit)
        if credit > 0 and paid > 0:
            parts.append(Part(payment, nanousd(credit), nanousd(paid)))
            left -= credit
    return tuple(parts)


def _fee_cents(payment: Payment, credit_cents: int) -> int:
    """The share of the fee that falls on so many cents of a payment, rounded up."""
    assert payment.fee_nanousd is not None
    return -(-payment.fee_nanousd * credit_cents // payment.amount_nanousd)


class Refunding:
    """Refunds. Methods raise DatabaseError, ProcessorAwayError, ProcessorRefusedError."""

    def __init__(
        self,
        deployment: Deployment,
        records: PaymentRecords,
        booking: Booking,
        processor: Processor,
        topping_up: ToppingUp,
        credit: Credit | None,
        now: Callable[[], datetime],
    ) -> None:
        self._records = records
        self._booking = booking
        self._processor = processor
        self._topping_up = topping_up
        self._credit = credit
        self._now = now
        spendable = spendable_of(deployment, records.database, sql.SQL("%(account)s::uuid"))
        self._lock = spendable.lock
        self._state = sql.SQL("SELECT {}, {}").format(spendable.unreserved, spendable.leased)

    async def quote(self, account: uuid.UUID, wanted_cents: int | None = None) -> Quote:
        """What a refund of so much, or of everything unused, would be. Fees that are not known are asked for."""
        for payment in await self._records.without_fee(account):
            await self._topping_up.learn_fee(payment)
        await self._call_in(account)
        async with self._records.database.transaction() as connection:
            return await self._quote(connection, account, wanted_cents)

    async def request(self, account: uuid.UUID, told: tuple[int, int], wanted_cents: int | None) -> Sequence[Refund]:
        """Refunds what was told, nanodollars of credit and of money. The credit goes at once.

        Raises RefundChangedError when it would be something else by now.
        """
        refunds = []
        async with self._records.database.transaction() as connection:
            quote = await self._quote(connection, account, wanted_cents)
            if not quote.parts or (quote.credit_nanousd, quote.paid_nanousd) != told:
                raise RefundChangedError
            for part in quote.parts:
                payment = part.payment
                refund = Refund(
                    uuid.uuid4(),
                    account,
                    payment.id,
                    "requested",
                    None,
                    part.credit_nanousd,
                    part.paid_nanousd,
                    self._now(),
                )
                await self._booking.request_refund(connection, payment, refund)
                refunds.append((refund, payment.intent or ""))
        for refund, intent in refunds:
            await self._send(refund, intent)
        return [refund for refund, _ in refunds]

    async def send_again(self, refund: Refund, intent: str) -> None:
        """Finds out what became of a refund, and asks for it once more where Stripe knows nothing of it."""
        known = [told for told in await self._processor.refunds(intent) if told.refund == refund.id]
        if not known:
            await self._send(refund, intent)
            return
        async with self._records.database.transaction() as connection:
            for told in known:
                await self._booking.refunded(connection, refund.payment, told)

    async def _send(self, refund: Refund, intent: str) -> None:
        try:
            told = await self._processor.make_refund(refund.id, intent, cents(refund.paid_nanousd))
        except ProcessorAwayError:
            # It is requested, and the job goes on with it: the same refund, however often.
            return
        except ProcessorRefusedError:
            async with self._records.database.transaction() as connection:
                await self._booking.refund_refused(connection, refund.id)
            return
        async with self._records.database.transaction() as connection:
            await self._booking.refunded(connection, refund.payment, told)

    async def _quote(self, connection: Connection, account: uuid.UUID, wanted_cents: int | None) -> Quote:
        # The lock that leases and batches take, too: what is free now is free until this is committed.
        await connection.execute(self._lock, (str(account),))
        payments = await self._records.refundable(connection, account)
        row = await (await connection.execute(self._state, {"account": account})).fetchone()
        assert row is not None, "a select without a condition has a row"
        unreserved, leased = row
        refundable = sum(payment.amount_nanousd - payment.refunded_nanousd for payment in payments)
        unused = max(0, min(unreserved - leased, refundable))
        return Quote(divided(payments, unused, wanted_cents), unused, leased)

    async def _call_in(self, account: uuid.UUID) -> None:
        """Has processes give back what they do not use of an account's credit."""
        if self._credit is None:
            return
        await self._credit.call_in(account)
        await asyncio.sleep(CALLED_IN_SECONDS)
