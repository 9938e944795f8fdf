"""Compares what moved at Stripe with what is booked on the account that stands for Stripe, by day and kind of movement.

Amounts are nanodollars, and never below zero: what flows back is a kind of movement of its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from psycopg import sql

from crouter.runtime.database.pool import Database
from crouter.runtime.names import BOOK, PAYMENT
from crouter.runtime.payments.money import CENT_NANOUSD, CURRENCY
from crouter.runtime.payments.processor import BalanceTransaction
from crouter.runtime.reconciliation.edges import across_midnight
from crouter.runtime.reconciliation.figure import Cause, Figure, within

AMOUNT: Final = "amount_nanousd"
_CLEARING: Final = "stripe_clearing"
_FEES, _FEES_BACK = "fees", "fees returned"
# Stripe's reporting categories, by whether money came or went.
_COMING: Final[Mapping[str, str]] = {
    "charge": "top-ups",
    "refund_failure": "refunds returned",
    "dispute_reversal": "disputes won",
    "fee": _FEES_BACK,
    "network_cost": _FEES_BACK,
}
_GOING: Final[Mapping[str, str]] = {
    "refund": "refunds",
    "dispute": "disputes",
    "fee": _FEES,
    "network_cost": _FEES,
}
# Between Stripe and the operator's bank: nothing of it is a customer's.
_OPERATORS: Final = frozenset({"payout", "payout_reversal", "topup", "topup_reversal"})
# Our accounts on the other side of a movement at Stripe, by kind and whether money came.
_BOOKED_COMING: Final[Mapping[str, str]] = {
    "customers": "top-ups",
    "unclaimed": "top-ups",
    "refunds_payable": "refunds returned",
    "disputes": "disputes won",
    "processor_fees": _FEES_BACK,
}
_BOOKED_GOING: Final[Mapping[str, str]] = {
    "refunds_payable": "refunds",
    "unclaimed": "refunds",
    "disputes": "disputes",
    "processor_fees": _FEES,
}

Sums = Mapping[tuple[date, str], int]
"""Nanodollars by day and kind of movement."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What is booked, and what of payments is known to be still open, in nanodollars."""

    sums: Sums
    on_its_way: int
    fees_at_most: int
    """The most that fees of payments can come to whose fee is not known yet."""


async def read_booked(database: Database, start: datetime, end: datetime) -> Booked:
    """Everything booked from `start` until before `end`. Raises DatabaseError."""
    book = sql.SQL(
        "SELECT date_trunc('day', occurred_at), debit = {clearing}, "
        "CASE WHEN debit = {clearing} THEN credit ELSE debit END, sum(amount_nanousd)::bigint FROM {book} "
        "WHERE {clearing} IN (debit, credit) AND occurred_at >= %s AND occurred_at < %s GROUP BY 1, 2, 3"
    ).format(clearing=sql.Literal(_CLEARING), book=database.table(BOOK))
    sums: dict[tuple[date, str], int] = defaultdict(int)
    for moment, comes, other, amount in await database.rows(book, (start, end)):
        kinds = _BOOKED_COMING if comes else _BOOKED_GOING
        sums[moment.date(), kinds.get(other, f"other: {other}")] += amount
    open_payments = sql.SQL(
        "SELECT coalesce(sum(amount_nanousd) FILTER (WHERE state IN ('open', 'processing')), 0)::bigint, "
        "coalesce(sum(amount_nanousd / 10 + 1000000000) "
        "FILTER (WHERE state = 'paid' AND fee_nanousd IS NULL), 0)::bigint "
        "FROM {} WHERE created_at >= %s - interval '3 days' AND created_at < %s"
    ).format(database.table(PAYMENT))
    ((on_its_way, fees_at_most),) = await database.rows(open_payments, (start, end))
    return Booked(dict(sums), on_its_way, fees_at_most)


def moved_at_stripe(transactions: Iterable[BalanceTransaction], first: date, last: date) -> Sums:
    """What moved on those days. Stripe keeps its fee from a movement: it is a movement of its own here."""
    sums: dict[tuple[date, str], int] = defaultdict(int)
    for transaction in transactions:
        day = transaction.created_at.date()
        if first <= day <= last:
            for kind, cents in _movements(transaction):
                sums[day, kind] += cents * CENT_NANOUSD
    return dict(sums)


def compared_movements(booked: Booked, theirs: Sums) -> tuple[Figure, ...]:
    """A figure for each day and kind of movement that one side knows, in their order."""
    figures = tuple(
        Figure("stripe", day, kind, AMOUNT, booked.sums.get((day, kind), 0), theirs.get((day, kind), 0))
        for day, kind in sorted({*booked.sums, *theirs})
    )
    # News of a payment may come a day later, and is booked when it comes: every amount is within reach of midnight.
    reach = {(figure.day, figure.subject, AMOUNT): figure.ours + (figure.theirs or 0) for figure in figures}
    left = {"top-ups": booked.on_its_way, _FEES: booked.fees_at_most}
    causes: Mapping[str, Cause] = {"top-ups": "on_its_way", _FEES: "fee_not_known"}
    return tuple(_told(figure, left, causes) for figure in across_midnight(figures, reach))


def _told(figure: Figure, left: dict[str, int], causes: Mapping[str, Cause]) -> Figure:
    """The figure with what is known of open payments; what explains one day is used up for the others."""
    if figure.subject in _OPERATORS:
        return replace(figure, causes={"not_ours": figure.difference})
    if figure.subject not in causes or figure.unexplained <= 0:
        return figure
    explains = within(figure.unexplained, left[figure.subject])
    left[figure.subject] -= explains
    return replace(figure, causes={**figure.causes, causes[figure.subject]: explains}) if explains else figure


def _movements(transaction: BalanceTransaction) -> Iterator[tuple[str, int]]:
    category, amount = transaction.reporting_category, transaction.amount_cents
    if transaction.currency != CURRENCY:
        yield f"other: in {transaction.currency}", abs(amount)
        return
    if category in _OPERATORS:
        yield category, abs(amount)
    else:
        kinds = _COMING if amount > 0 else _GOING
        yield kinds.get(category, f"other: {category}"), abs(amount)
    if transaction.fee_cents:
        yield (_FEES if transaction.fee_cents > 0 else _FEES_BACK), abs(transaction.fee_cents)
