"""What Stripe says about money, and what that does to the books: the same, whatever is repeated, late or out of order.

Everything is posted under an id made from what it is about, in the transaction that changes the payment's row, so a
second time changes nothing. A reversal posts what it reverses first, if that is not there yet: news may overtake one
another, and credit that is only half told about is nobody's to spend. Nothing here asks Stripe.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from crouter.runtime.database.pool import Connection
from crouter.runtime.ledger import Ledger, entry_id
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.mail.values import MailRefusedError
from crouter.runtime.payments.money import CURRENCY, nanousd
from crouter.runtime.payments.processor import Intent, ProcessorRefund
from crouter.runtime.payments.records import RANKS, Automatic, Payment, PaymentRecords, Refund, RefundState, State

Outcome = Literal["applied", "ignored", "unclaimed", "mismatch"]
FAILURES_MAX: Final = 3
"""After so many automatic top-ups in a row that failed there are no more."""
_REFUND_STATES: Final[Mapping[str, RefundState]] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
_REFUND_RANKS: Final[Mapping[RefundState, int]] = {"requested": 0, "pending": 1, "succeeded": 2, "failed": 3}
"""Also a refund that succeeded may fail days later, when a bank sends it back."""


@dataclass(frozen=True, slots=True)
class Paid:
    """So much was paid, for a payment of ours as its metadata says."""

    payment: uuid.UUID
    intent: str
    cents: int
    currency: str
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A payer told their bank that a payment was wrong. `fees` are what that costs the operator, in cents, by name."""

    id: str
    intent: str
    cents: int
    currency: str
    fees: tuple[tuple[str, int], ...] = ()


class Booking:
    """Applies news in the caller's transaction. Methods raise DatabaseError and PostingConflictError."""

    def __init__(self, records: PaymentRecords, ledger: Ledger, outbox: Outbox) -> None:
        self._records = records
        self._ledger = ledger
        self._outbox = outbox

    async def paid(self, connection: Connection, paid: Paid) -> Outcome:
        """Credits the account that paid, once. Money for an account that is gone is the operator's to send back."""
        payment = await self._records.locked(connection, paid.payment)
        amount = nanousd(paid.cents)
        if payment is None:
            if paid.cents > 0 and paid.currency == CURRENCY:
                await self._ledger.move(
                    connection,
                    "unclaimed",
                    amount,
                    debit="stripe_clearing",
                    credit="unclaimed",
                    id=entry_id("unclaimed", paid.intent),
                )
            return "unclaimed"
        if (amount, CURRENCY) != (payment.amount_nanousd, paid.currency) or payment.intent not in (None, paid.intent):
            return "mismatch"
        entry = entry_id("top_up", str(payment.id))
        is_new = await self._ledger.post(connection, payment.account, "top_up", amount, id=entry)
        await self._records.change(connection, payment, state=_up(payment, "paid"), intent=paid.intent)
        if paid.method is not None:
            await self._keep_method(connection, payment, paid.method)
        if is_new:
            await self._told(connection, payment, "receipt", {"amount": amount, "day": datetime.now(UTC).date()})
        return "applied"

    async def progressed(
        self,
        connection: Connection,
        payment_id: uuid.UUID,
        state: State,
        *,
        checkout: str | None = None,
        intent: str | None = None,
    ) -> Outcome:
        """A payment that is not paid got further, or will not be paid."""
        payment = await self._records.locked(connection, payment_id)
        if payment is None:
            return "ignored"
        await self._records.change(connection, payment, state=_up(payment, state), checkout=checkout, intent=intent)
        if state == "failed" and payment.cause == "automatic" and RANKS[payment.state] < RANKS["failed"]:
            await self._automatic_failed(connection, payment)
        return "applied"

    async def fee(self, connection: Connection, intent: Intent) -> None:
        """What Stripe kept of a payment."""
        payment = await self._records.locked(connection, intent.payment) if intent.payment else None
        if payment is None or intent.fee_cents is None or payment.fee_nanousd is not None:
            return
        fee = nanousd(intent.fee_cents)
        await self._ledger.move(
            connection,
            "fee",
            fee,
            debit="processor_fees",
            credit="stripe_clearing",
            id=entry_id("fee", str(payment.id)),
        )
        await self._records.change(connection, payment, fee_nanousd=fee)

    # Refunds.

    async def request_refund(self, connection: Connection, payment: Payment, refund: Refund) -> None:
        """Takes credit back before Stripe is asked: what is being paid back cannot be spent."""
        if not await self._records.add_refund(connection, refund):
            return
        await self._ledger.post(
            connection, refund.account, "refund", -refund.amount_nanousd, id=entry_id("refund", str(refund.id))
        )
        refunded = payment.refunded_nanousd + refund.amount_nanousd
        assert refunded <= payment.amount_nanousd, "no more is refunded than was paid"
        await self._records.change(connection, payment, refunded_nanousd=refunded)

    async def refunded(self, connection: Connection, payment_id: uuid.UUID, told: ProcessorRefund) -> Outcome:
        """What became of a refund, of ours or of one that was made at Stripe."""
        payment = await self._records.locked(connection, payment_id)
        if payment is None:
            return await self._unclaimed_refunded(connection, told)
        if told.currency != CURRENCY:
            return "mismatch"
        refund = await self._found(connection, payment, told)
        if refund is None:
            return "mismatch"
        state = _REFUND_STATES.get(told.status, "pending")
        if _REFUND_RANKS[state] <= _REFUND_RANKS[refund.state]:
            return "applied"
        await self._paid_out(connection, refund)
        await self._records.change_refund(connection, refund.id, state, told.id)
        if state == "failed":
            await self.refund_failed(connection, refund)
        elif state == "succeeded" and refund.paid_nanousd > 0:
            fee = refund.amount_nanousd - refund.paid_nanousd
            values = {"amount": refund.paid_nanousd, "fee": fee, "day": datetime.now(UTC).date()}
            await self._told(connection, payment, "refund", values, about=refund.id)
        return "applied"

    async def refund_refused(self, connection: Connection, refund_id: uuid.UUID) -> None:
        """Stripe did not take it: the credit is back, and nothing was paid out."""
        refund = await self._records.locked_refund(connection, refund_id)
        if refund is not None and refund.state == "requested":
            await self._records.change_refund(connection, refund.id, "failed", None)
            await self._give_back(connection, refund)

    async def refund_failed(self, connection: Connection, refund: Refund) -> None:
        """It came back: so does the credit, and what was paid out."""
        await self._move_payout(connection, refund, "payout failed", is_back=True)
        await self._give_back(connection, refund)

    async def _found(self, connection: Connection, payment: Payment, told: ProcessorRefund) -> Refund | None:
        """Our row of it; made where the operator refunded at Stripe, who then gives all of it back."""
        found = told.refund or entry_id("refund at stripe", told.id)
        refund = await self._records.locked_refund(connection, found)
        if refund is not None:
            return refund if nanousd(told.amount_cents) == refund.paid_nanousd else None
        amount = nanousd(told.amount_cents)
        if payment.refunded_nanousd + amount > payment.amount_nanousd:
            return None
        # Whoever pays back more than once what was paid in sees it in the reconciliation, and not here.
        await self._credited(connection, payment)
        refund = Refund(found, payment.account, payment.id, "requested", None, amount, amount, datetime.now(UTC))
        await self.request_refund(connection, payment, refund)
        return refund

    async def _paid_out(self, connection: Connection, refund: Refund) -> None:
        await self._move_payout(connection, refund, "payout", is_back=False)

    async def _move_payout(self, connection: Connection, refund: Refund, word: str, *, is_back: bool) -> None:
        """What is paid back leaves Stripe; what is withheld makes up for the fee that Stripe has kept."""
        sides: Any = (
            {"debit": "stripe_clearing", "credit": "refunds_payable"}
            if is_back
            else {"debit": "refunds_payable", "credit": "stripe_clearing"}
        )
        withheld: Any = (
            {"debit": "processor_fees", "credit": "refunds_payable"}
            if is_back
            else {"debit": "refunds_payable", "credit": "processor_fees"}
        )
        if refund.paid_nanousd:
            name = entry_id(word, str(refund.id))
            await self._ledger.move(connection, "payout", refund.paid_nanousd, id=name, **sides)
        if kept := refund.amount_nanousd - refund.paid_nanousd:
            name = entry_id(word, "withheld", str(refund.id))
            await self._ledger.move(connection, "withheld", kept, id=name, **withheld)

    async def _give_back(self, connection: Connection, refund: Refund) -> None:
        await self._ledger.post(
            connection, refund.account, "refund", refund.amount_nanousd, id=entry_id("refund failed", str(refund.id))
        )
        payment = await self._records.locked(connection, refund.payment)
        if payment is not None:
            left = payment.refunded_nanousd - refund.amount_nanousd
            await self._records.change(connection, payment, refunded_nanousd=left)

    async def _unclaimed_refunded(self, connection: Connection, told: ProcessorRefund) -> Outcome:
        if told.currency == CURRENCY and told.status == "succeeded":
            await self._ledger.move(
                connection,
                "payout",
                nanousd(told.amount_cents),
                debit="unclaimed",
                credit="stripe_clearing",
                id=entry_id("unclaimed refund", told.id),
            )
        return "unclaimed"

    # Disputes.

    async def disputed(self, connection: Connection, payment_id: uuid.UUID, dispute: Dispute) -> Outcome:
        """The bank took the money back, and so do we: the balance may be less than nothing then."""
        payment = await self._records.locked(connection, payment_id)
        if payment is None:
            return "unclaimed"
        if dispute.currency != CURRENCY:
            return "mismatch"
        if await self._withdrawn(connection, payment, dispute):
            await self._told(connection, payment, "dispute", {"amount": nanousd(dispute.cents)})
        return "applied"

    async def dispute_won(self, connection: Connection, payment_id: uuid.UUID, dispute: Dispute) -> Outcome:
        """The bank gave the money back."""
        payment = await self._records.locked(connection, payment_id)
        if payment is None:
            return "unclaimed"
        if dispute.currency != CURRENCY:
            return "mismatch"
        await self._withdrawn(connection, payment, dispute)
        amount = nanousd(dispute.cents)
        entry = entry_id("dispute won", dispute.id)
        await self._ledger.post(connection, payment.account, "dispute", amount, id=entry)
        name = entry_id("dispute won payout", dispute.id)
        await self._ledger.move(connection, "payout", amount, debit="stripe_clearing", credit="disputes", id=name)
        await self._records.change(connection, payment, state="paid")
        return "applied"

    async def _withdrawn(self, connection: Connection, payment: Payment, dispute: Dispute) -> bool:
        """Whether that is news."""
        amount = nanousd(dispute.cents)
        await self._credited(connection, payment)
        entry = entry_id("dispute", dispute.id)
        is_new = await self._ledger.post(connection, payment.account, "dispute", -amount, id=entry)
        if not is_new:
            return False
        name = entry_id("dispute payout", dispute.id)
        await self._ledger.move(connection, "payout", amount, debit="disputes", credit="stripe_clearing", id=name)
        await self._records.change(connection, payment, state="disputed", intent=dispute.intent)
        return True

    async def dispute_fees(self, connection: Connection, dispute: Dispute) -> None:
        """What a dispute costs the operator, who bears it, and what comes back of that."""
        for name, fee in dispute.fees:
            sides: Any = (
                {"debit": "processor_fees", "credit": "stripe_clearing"}
                if fee > 0
                else {"debit": "stripe_clearing", "credit": "processor_fees"}
            )
            if fee:
                posted = entry_id("dispute fee", name)
                await self._ledger.move(connection, "fee", nanousd(abs(fee)), id=posted, **sides)

    # Parts.

    async def _credited(self, connection: Connection, payment: Payment) -> None:
        """What is taken back was credited before, even if we are told of it later."""
        await self._ledger.post(
            connection, payment.account, "top_up", payment.amount_nanousd, id=entry_id("top_up", str(payment.id))
        )
        await self._records.change(connection, payment, state=_up(payment, "paid"))

    async def _keep_method(self, connection: Connection, payment: Payment, method: str) -> None:
        """The means of payment that somebody agreed to have charged again, and that it could be charged."""
        profile = await self._records.profile(connection, payment.account)
        if profile is None:
            return
        if payment.cause == "automatic" and profile.failures:
            await self._records.set_automatic(connection, replace(profile, failures=0))
        elif payment.cause == "checkout" and profile.automatic == "wanted":
            kept = replace(profile, automatic="on", method=method, failures=0)
            await self._records.set_automatic(connection, kept)

    async def _automatic_failed(self, connection: Connection, payment: Payment) -> None:
        profile = await self._records.profile(connection, payment.account)
        if profile is None:
            return
        failures = profile.failures + 1
        automatic: Automatic = "failed" if failures >= FAILURES_MAX and profile.automatic == "on" else profile.automatic
        await self._records.set_automatic(connection, replace(profile, failures=failures, automatic=automatic))
        await self._told(connection, payment, "top_up_failed", {"amount": payment.amount_nanousd})

    async def _told(
        self,
        connection: Connection,
        payment: Payment,
        template: str,
        values: Mapping[str, object],
        about: uuid.UUID | None = None,
    ) -> None:
        """A mail, in the same transaction. A policy without that mail has none sent."""
        balance = await self._ledger.balance_in(connection, payment.account)
        name = entry_id("mail", template, str(about or payment.id))
        try:
            await self._outbox.enqueue(connection, payment.account, template, {**values, "balance": balance}, id=name)
        except MailRefusedError:
            return


def _up(payment: Payment, state: State) -> State | None:
    """A payment that is disputed is paid as well, and stays so."""
    return None if payment.state == "disputed" and state == "paid" else state
