"""Rows about payments: read, made and changed in the caller's transaction. What a change means is `booking.py`."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import is_erased, is_live
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import ACCOUNT, PAYMENT, PAYMENT_PROFILE, REFUND
from crouter.runtime.purposes import require_purpose

PURPOSE: Final = "billing"
State = Literal["begun", "open", "processing", "failed", "expired", "paid", "disputed"]
Cause = Literal["checkout", "automatic"]
RefundState = Literal["requested", "pending", "succeeded", "failed"]
Automatic = Literal["off", "wanted", "on", "failed"]
RANKS: Final[dict[State, int]] = {
    "begun": 0,
    "open": 1,
    "processing": 2,
    "expired": 3,
    "failed": 4,
    "paid": 5,
    "disputed": 5,
}
"""A payment goes up only, so that late news change nothing. Paid and disputed may change places."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `refunded_nanousd` is how much of the credit was taken back."""

    id: uuid.UUID
    account: uuid.UUID
    cause: Cause
    state: State
    checkout: str | None
    intent: str | None
    amount_nanousd: int
    refunded_nanousd: int
    fee_nanousd: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of one payment: what leaves the balance, and what of it is paid back."""

    id: uuid.UUID
    account: uuid.UUID
    payment: uuid.UUID
    state: RefundState
    processor_id: str | None
    amount_nanousd: int
    paid_nanousd: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """An account's settings for payments. Amounts are None until somebody has set them."""

    id: uuid.UUID
    account: uuid.UUID
    customer: str | None
    automatic: Automatic
    method: str | None
    threshold_nanousd: int | None
    top_up_nanousd: int | None
    monthly_max_nanousd: int | None
    consented_at: datetime | None
    failures: int


_PAYMENT: Final = (
    "id, account_id, cause, state, checkout, intent, amount_nanousd, refunded_nanousd, fee_nanousd, created_at"
)
_REFUND: Final = "id, account_id, payment_id, state, processor_id, amount_nanousd, paid_nanousd, created_at"
_PROFILE: Final = (
    "id, account_id, customer, automatic, method, threshold_nanousd, top_up_nanousd, monthly_max_nanousd, "
    "consented_at, failures"
)


class PaymentRecords:
    """The tables of payments. Every method raises DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises KeyError, PurposeRefusedError when the policy does not declare payments for billing."""
        for record in (PAYMENT, REFUND):
            require_purpose(deployment.record(record), ("amount_nanousd", "created_at"), PURPOSE)
        self.database = database
        self._payment, self._refund = database.table(PAYMENT), database.table(REFUND)
        self._profile, self._account = database.table(PAYMENT_PROFILE), database.table(ACCOUNT)
        self._live, self._erased = is_live(deployment, "a"), is_erased(deployment, "a")

    async def add(self, connection: Connection, payment: Payment) -> None:
        """A new payment."""
        await connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)").format(
                self._payment, sql.SQL(_PAYMENT)
            ),
            (
                payment.id,
                payment.account,
                payment.cause,
                payment.state,
                payment.checkout,
                payment.intent,
                payment.amount_nanousd,
                payment.refunded_nanousd,
                payment.fee_nanousd,
                payment.created_at,
            ),
        )

    async def locked(self, connection: Connection, payment: uuid.UUID) -> Payment | None:
        """The payment, held until the transaction ends; None when it, or the person behind it, is gone."""
        query = sql.SQL(
            "SELECT {columns} FROM {payment} AS p WHERE id = %s AND EXISTS "
            "(SELECT FROM {account} AS a WHERE a.id = p.account_id AND NOT ({erased})) FOR UPDATE"
        ).format(columns=sql.SQL(_PAYMENT), payment=self._payment, account=self._account, erased=self._erased)
        row = await (await connection.execute(query, (payment,))).fetchone()
        return Payment(*row) if row else None

    async def by_intent(self, connection: Connection, intent: str) -> uuid.UUID | None:
        """The id of our payment that Stripe calls so."""
        query = sql.SQL("SELECT id FROM {} WHERE intent = %s").format(self._payment)
        row = await (await connection.execute(query, (intent,))).fetchone()
        return row[0] if row else None

    async def change(
        self,
        connection: Connection,
        payment: Payment,
        *,
        state: State | None = None,
        checkout: str | None = None,
        intent: str | None = None,
        fee_nanousd: int | None = None,
        refunded_nanousd: int | None = None,
    ) -> None:
        """Changes what is told; a state never goes down in rank."""
        if state is not None and RANKS[state] < RANKS[payment.state]:
            state = None
        await connection.execute(
            sql.SQL(
                "UPDATE {} SET state = coalesce(%s, state), checkout = coalesce(%s, checkout), "
                "intent = coalesce(%s, intent), fee_nanousd = coalesce(%s, fee_nanousd), "
                "refunded_nanousd = coalesce(%s, refunded_nanousd) WHERE id = %s"
            ).format(self._payment),
            (state, checkout, intent, fee_nanousd, refunded_nanousd, payment.id),
        )

    async def find(self, account: uuid.UUID, payment: uuid.UUID) -> Payment | None:
        """The payment if it is the account's."""
        query = sql.SQL("SELECT {} FROM {} WHERE id = %s AND account_id = %s").format(sql.SQL(_PAYMENT), self._payment)
        rows = await self.database.rows(query, (payment, account))
        return Payment(*rows[0]) if rows else None

    async def of_account(self, account: uuid.UUID, limit: int = 100) -> Sequence[Payment]:
        """The newest payments of an account, newest first."""
        query = sql.SQL("SELECT {} FROM {} WHERE account_id = %s ORDER BY created_at DESC, id DESC LIMIT %s").format(
            sql.SQL(_PAYMENT), self._payment
        )
        return [Payment(*row) for row in await self.database.rows(query, (account, limit))]

    async def refundable(self, connection: Connection, account: uuid.UUID) -> Sequence[Payment]:
        """Paid payments of which something is left, newest first, held until the transaction ends."""
        query = sql.SQL(
            "SELECT {} FROM {} WHERE account_id = %s AND state = 'paid' AND intent IS NOT NULL "
            "AND refunded_nanousd < amount_nanousd ORDER BY created_at DESC, id DESC FOR UPDATE"
        ).format(sql.SQL(_PAYMENT), self._payment)
        cursor = await connection.execute(query, (account,))
        return [Payment(*row) for row in await cursor.fetchall()]

    async def unsettled(self, before: datetime, limit: int = 200) -> Sequence[Payment]:
        """Payments of which nothing final is known and that began before a moment."""
        query = sql.SQL(
            "SELECT {} FROM {} WHERE state IN ('begun', 'open', 'processing') AND created_at < %s "
            "ORDER BY created_at LIMIT %s"
        ).format(sql.SQL(_PAYMENT), self._payment)
        return [Payment(*row) for row in await self.database.rows(query, (before, limit))]

    async def without_fee(self, account: uuid.UUID | None = None, limit: int = 200) -> Sequence[Payment]:
        """Paid payments whose fee is not known yet: of one account, or of all."""
        query = sql.SQL(
            "SELECT {} FROM {} WHERE state IN ('paid', 'disputed') AND fee_nanousd IS NULL AND intent IS NOT NULL "
            "AND (%s::uuid IS NULL OR account_id = %s) ORDER BY created_at LIMIT %s"
        ).format(sql.SQL(_PAYMENT), self._payment)
        return [Payment(*row) for row in await self.database.rows(query, (account, account, limit))]

    # Refunds.

    async def add_refund(self, connection: Connection, refund: Refund) -> bool:
        """A new refund; whether it is new."""
        cursor = await connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING").format(
                self._refund, sql.SQL(_REFUND)
            ),
            (
                refund.id,
                refund.account,
                refund.payment,
                refund.state,
                refund.processor_id,
                refund.amount_nanousd,
                refund.paid_nanousd,
                refund.created_at,
            ),
        )
        return cursor.rowcount == 1

    async def locked_refund(self, connection: Connection, refund: uuid.UUID) -> Refund | None:
        """The refund, held until the transaction ends."""
        query = sql.SQL("SELECT {} FROM {} WHERE id = %s FOR UPDATE").format(sql.SQL(_REFUND), self._refund)
        row = await (await connection.execute(query, (refund,))).fetchone()
        return Refund(*row) if row else None

    async def change_refund(
        self, connection: Connection, refund: uuid.UUID, state: RefundState, processor_id: str | None
    ) -> None:
        """Its state, and its name at Stripe once it has one."""
        await connection.execute(
            sql.SQL("UPDATE {} SET state = %s, processor_id = coalesce(processor_id, %s) WHERE id = %s").format(
                self._refund
            ),
            (state, processor_id, refund),
        )

    async def refunds_of(self, account: uuid.UUID, limit: int = 100) -> Sequence[Refund]:
        """The newest refunds of an account, newest first."""
        query = sql.SQL("SELECT {} FROM {} WHERE account_id = %s ORDER BY created_at DESC, id DESC LIMIT %s").format(
            sql.SQL(_REFUND), self._refund
        )
        return [Refund(*row) for row in await self.database.rows(query, (account, limit))]

    async def open_refunds(self, before: datetime, limit: int = 200) -> Sequence[tuple[Refund, str]]:
        """Refunds of which Stripe has not said the last word, with the payment's name there."""
        query = sql.SQL(
            "SELECT {}, (SELECT p.intent FROM {} AS p WHERE p.id = payment_id) FROM {} "
            "WHERE state IN ('requested', 'pending') AND created_at < %s ORDER BY created_at LIMIT %s"
        ).format(sql.SQL(_REFUND), self._payment, self._refund)
        rows = await self.database.rows(query, (before, limit))
        return [(Refund(*row[:-1]), row[-1]) for row in rows]

    # Settings.

    async def profile(self, connection: Connection, account: uuid.UUID) -> Profile | None:
        """The account's settings, held until the transaction ends."""
        query = sql.SQL("SELECT {} FROM {} WHERE account_id = %s FOR UPDATE").format(sql.SQL(_PROFILE), self._profile)
        row = await (await connection.execute(query, (account,))).fetchone()
        return Profile(*row) if row else None

    async def read_profile(self, account: uuid.UUID) -> Profile | None:
        """The account's settings."""
        query = sql.SQL("SELECT {} FROM {} WHERE account_id = %s").format(sql.SQL(_PROFILE), self._profile)
        rows = await self.database.rows(query, (account,))
        return Profile(*rows[0]) if rows else None

    async def make_profile(self, account: uuid.UUID) -> Profile:
        """The account's settings, made where there were none."""
        async with self.database.transaction() as connection:
            await connection.execute(
                sql.SQL(
                    "INSERT INTO {} (id, account_id, automatic, failures) SELECT %s, a.id, 'off', 0 FROM {} AS a "
                    "WHERE a.id = %s AND {} ON CONFLICT DO NOTHING"
                ).format(self._profile, self._account, self._live),
                (uuid.uuid4(), account),
            )
            profile = await self.profile(connection, account)
        if profile is None:
            raise NoPayerError
        return profile

    async def set_customer(self, profile: uuid.UUID, customer: str) -> None:
        """Which customer the account is at Stripe, unless that is known."""
        async with self.database.transaction() as connection:
            await connection.execute(
                sql.SQL("UPDATE {} SET customer = coalesce(customer, %s) WHERE id = %s").format(self._profile),
                (customer, profile),
            )

    async def set_automatic(self, connection: Connection, profile: Profile) -> None:
        """Everything about topping up automatically, as `profile` has it."""
        await connection.execute(
            sql.SQL(
                "UPDATE {} SET automatic = %s, method = %s, threshold_nanousd = %s, top_up_nanousd = %s, "
                "monthly_max_nanousd = %s, consented_at = %s, failures = %s WHERE id = %s"
            ).format(self._profile),
            (
                profile.automatic,
                profile.method,
                profile.threshold_nanousd,
                profile.top_up_nanousd,
                profile.monthly_max_nanousd,
                profile.consented_at,
                profile.failures,
                profile.id,
            ),
        )

    async def automatic(self, limit: int = 1000) -> Sequence[Profile]:
        """Settings of accounts that top up automatically and are not about to be deleted."""
        query = sql.SQL(
            "SELECT {} FROM {} AS p WHERE automatic = 'on' AND method IS NOT NULL AND EXISTS "
            "(SELECT FROM {} AS a WHERE a.id = p.account_id AND {}) ORDER BY id LIMIT %s"
        ).format(sql.SQL(_PROFILE), self._profile, self._account, self._live)
        return [Profile(*row) for row in await self.database.rows(query, (limit,))]

    async def automatic_since(self, connection: Connection, account: uuid.UUID, since: datetime) -> tuple[int, int]:
        """Of automatic payments since a moment: what was or may yet be paid, and how many are still under way."""
        query = sql.SQL(
            "SELECT coalesce(sum(amount_nanousd), 0)::bigint, "
            "count(*) FILTER (WHERE state IN ('begun', 'open', 'processing')) FROM {} "
            "WHERE account_id = %s AND cause = 'automatic' AND state NOT IN ('failed', 'expired') "
            "AND (created_at >= %s OR state IN ('begun', 'open', 'processing'))"
        ).format(self._payment)
        row = await (await connection.execute(query, (account, since))).fetchone()
        assert row is not None, "sums have a row"
        return row[0], row[1]

    async def tried_since(self, connection: Connection, account: uuid.UUID, since: datetime) -> bool:
        """Whether an automatic payment was begun since a moment."""
        query = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} WHERE account_id = %s AND cause = 'automatic' AND created_at > %s)"
        ).format(self._payment)
        row = await (await connection.execute(query, (account, since))).fetchone()
        return row is not None and bool(row[0])


class NoPayerError(Exception):
    """There is no such account, or it is being deleted."""
