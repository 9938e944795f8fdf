"""What the balance pages draw: money and words that are decided here, so that templates decide nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from crouter.runtime.ledger.ledger import Statement
from crouter.runtime.payments.money import TOP_UP_CENTS_MAX, TOP_UP_CENTS_MIN, TOP_UP_CHOICES_CENTS, cents, shown
from crouter.runtime.payments.processor import Invoice
from crouter.runtime.payments.records import Payment, Profile, Refund, RefundState, State
from crouter.runtime.payments.refunding import Quote

KINDS: Final = {
    "grant": "Credit given",
    "top_up": "Top-up",
    "charge": "API requests",
    "refund": "Refund",
    "dispute": "Disputed payment",
    "carried": "Earlier API requests",
}
STATES: Final[dict[State, tuple[str, str]]] = {
    "begun": ("", "Begun"),
    "open": ("", "Not paid yet"),
    "processing": ("warn", "On its way"),
    "failed": ("bad", "Failed"),
    "expired": ("", "Not paid"),
    "paid": ("good", "Paid"),
    "disputed": ("bad", "Disputed"),
}
REFUND_STATES: Final[dict[RefundState, tuple[str, str]]] = {
    "requested": ("warn", "Requested"),
    "pending": ("warn", "On its way"),
    "succeeded": ("good", "Paid back"),
    "failed": ("bad", "Failed: the credit is back"),
}
AUTOMATIC: Final = {
    "off": "Automatic top-up is off.",
    "wanted": "Automatic top-up begins with your next payment, whose means of payment Stripe then stores.",
    "on": "Automatic top-up is on.",
    "failed": "Automatic top-up was switched off, because three attempts in a row failed.",
}


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """A payment in the list."""

    id: str
    day: datetime
    cause: str
    amount_nanousd: int
    tone: str
    state: str

    @classmethod
    def of(cls, payment: Payment) -> "PaymentLine":
        tone, state = STATES[payment.state]
        cause = "By hand" if payment.cause == "checkout" else "Automatic"
        return cls(str(payment.id), payment.created_at, cause, payment.amount_nanousd, tone, state)


@dataclass(frozen=True, slots=True)
class RefundLine:
    """A refund in the list."""

    day: datetime
    amount_nanousd: int
    paid_nanousd: int
    tone: str
    state: str

    @classmethod
    def of(cls, refund: Refund) -> "RefundLine":
        tone, state = REFUND_STATES[refund.state]
        return cls(refund.created_at, refund.amount_nanousd, refund.paid_nanousd, tone, state)


@dataclass(frozen=True, slots=True)
class AutomaticForm:
    """The form for automatic top-up, as it was filled in or as it stands."""

    told: str
    is_on: bool
    threshold: str
    top_up: str
    monthly_max: str
    consent: str
    error: str = ""

    @classmethod
    def of(cls, profile: Profile | None, consent: str) -> "AutomaticForm":
        state = profile.automatic if profile is not None else "off"
        return cls(
            AUTOMATIC[state],
            state in ("on", "wanted"),
            _dollars(profile.threshold_nanousd if profile else None, 5_00),
            _dollars(profile.top_up_nanousd if profile else None, 25_00),
            _dollars(profile.monthly_max_nanousd if profile else None, 100_00),
            consent,
        )


@dataclass(frozen=True, slots=True)
class BalanceView:
    """The balance page. `notice` is a kind and a text, both empty where there is nothing to say."""

    balance_nanousd: int
    is_for_sale: bool
    gives_credit: bool
    choices: tuple[tuple[str, str], ...]
    bounds: str
    automatic: AutomaticForm
    payments: Sequence[PaymentLine]
    refunds: Sequence[RefundLine]
    notice_kind: str = ""
    notice: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PayView:
    """The page between ours and Stripe's."""

    amount_nanousd: int
    url: str


@dataclass(frozen=True, slots=True)
class RefundView:
    """The page that tells a refund before it is made."""

    quote: Quote
    wanted: str
    credit_nanousd: int
    paid_nanousd: int
    fee_nanousd: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One line of a statement."""

    day: datetime
    kind: str
    entries: int
    amount_nanousd: int
    balance_nanousd: int


@dataclass(frozen=True, slots=True)
class StatementView:
    """The statement of one month."""

    month: str
    before: str
    after: str
    opening_nanousd: int
    closing_nanousd: int
    rows: Sequence[StatementRow]
    invoices: Sequence[Invoice] = ()


def choices() -> tuple[tuple[str, str], ...]:
    """What can be paid with one click: the value of the button, and its words."""
    return tuple((f"{amount // 100}", shown(amount).removesuffix(".00")) for amount in TOP_UP_CHOICES_CENTS)


def bounds() -> str:
    return f"Between {shown(TOP_UP_CENTS_MIN)} and {shown(TOP_UP_CENTS_MAX)}."


def rows_of(statement: Statement) -> list[StatementRow]:
    """The newest first."""
    lines = [
        StatementRow(
            line.occurred_at, KINDS.get(line.kind, line.kind), line.entries, line.amount_nanousd, line.balance_nanousd
        )
        for line in statement.lines
    ]
    return lines[::-1]


def _dollars(nanousd: int | None, otherwise_cents: int) -> str:
    amount = cents(nanousd) if nanousd is not None else otherwise_cents
    return f"{amount // 100}.{amount % 100:02d}".removesuffix(".00")
