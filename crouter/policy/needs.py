"""The columns and logs that the library itself reads and writes. Its statements name them, whatever policy.yaml says.

They are declared in policy.yaml like every other column, so that the document, the export and the schema know them; and
they are listed here, so that an edit that takes one away is answered with its place and the line to add, and not with a
failing statement in a running service. A test runs the library's statements against exactly these columns.

Columns that the library finds by what they are, and not by name, are not listed: those of a usage row are
filled by `measures.py`, and the ends of an account by the retention rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from crouter.policy.books import ACCOUNTS, ENTRY_ACCOUNTS, TRANSFERS


@dataclass(frozen=True, slots=True)
class NeededColumn:
    """One column that a statement of the library names."""

    type: str
    why: str
    """What it is for, as the line to add says it."""
    written_always: bool = True
    """Whether every row is written with it; otherwise it has to be optional."""
    key: bool = False
    unique: bool = False
    """Whether the library's values never repeat, so that the column may be unique."""
    to: str | None = None
    changes: bool = False
    """Whether the library changes it while the row lives."""
    values: tuple[str, ...] = ()
    """What the library writes into a `one_of`; the policy may allow more."""
    purposes: tuple[str, ...] = ()
    """What the library reads it for, where the policy declares it as data about a person."""
    told: bool = False
    """Whether it is what a sign-in tells, and so one of the `fields` of a source of kind identity."""
    standard: Mapping[str, str] | None = None
    """For data about a person: its keys in other vocabularies, as the line to add has them."""


@dataclass(frozen=True, slots=True)
class NeededTable:
    """One data category that the library works on."""

    label: str
    when: str
    columns: Mapping[str, NeededColumn]
    owner: str | None = None
    subject: str = "customer"
    may_be_missing: bool = False
    """Whether the library does without the whole category."""
    may_hold_more: bool = True
    """Whether the category may have columns that the library does not know."""
    measured: bool = False
    """Whether its rows are filled from what a request is measured by, and from whom it came."""


LIMITS = (
    "requests_per_minute",
    "requests_per_hour",
    "requests_per_day",
    "input_tokens_per_minute",
    "output_tokens_per_minute",
    "concurrent_requests",
)
"""The limits of a key that an account may have of its own."""

_KEY = NeededColumn("uuid", "names the row", key=True, unique=True)
_ACCOUNT = NeededColumn("reference", "joins the row to its account", to="account")
_AMOUNT = NeededColumn(
    "nanousd",
    "amount",
    purposes=("billing",),
    standard={"data_category": "user.payment", "dpv": "Transaction"},
)

NEEDED_TABLES: Mapping[str, NeededTable] = {
    "account": NeededTable(
        label="account data",
        when="you create an account",
        columns={
            "id": _KEY,
            "email": NeededColumn(
                "email",
                "email address",
                purposes=("authentication",),
                told=True,
                standard={"data_category": "user.contact.email", "dpv": "EmailAddress"},
            ),
            "created_at": NeededColumn("timestamp", "orders accounts"),
        },
    ),
    "api_key": NeededTable(
        label="API keys",
        when="you make an API key",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "sealed": NeededColumn(
                "sealed",
                "the API key",
                unique=True,
                purposes=("authentication",),
                standard={"data_category": "user.authorization.credentials", "dpv": "Identifying"},
            ),
            "lookup": NeededColumn("keyed_hash", "finds the key without decrypting any", unique=True),
            "lookup_version": NeededColumn("count", "names the look-up secret in use"),
            "last_four": NeededColumn("text", "lets its owner tell keys apart"),
            "created_at": NeededColumn("timestamp", "orders keys"),
            "revoked_at": NeededColumn("timestamp", "ends the key", written_always=False),
        },
    ),
    "usage": NeededTable(
        label="usage data",
        when="an API request is made",
        owner="account",
        columns={},
        measured=True,
    ),
    "ledger": NeededTable(
        label="balance entries",
        when="your balance changes",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "kind": NeededColumn(
                "one_of", "tells a top-up from a charge", values=("grant", "top_up", "charge", "refund")
            ),
            "amount_nanousd": NeededColumn(
                "nanousd",
                "amount",
                purposes=("billing",),
                standard={"data_category": "user.payment", "dpv": "Transaction"},
            ),
            "occurred_at": NeededColumn("timestamp", "time"),
            "price_version": NeededColumn("text", "names the price list of a charge", written_always=False),
        },
    ),
    "credit_lease": NeededTable(
        label="credit set aside",
        when="your API requests are answered",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "process_id": NeededColumn("uuid", "names the process that may spend it"),
            "remaining_nanousd": NeededColumn("nanousd", "what the process has not charged yet", changes=True),
            "expires_at": NeededColumn("timestamp", "ends a lease whose process is gone", changes=True),
        },
    ),
    "batch": NeededTable(
        label="batch data",
        when="you create a message batch",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "api_key_id": NeededColumn("reference", "joins the record to the key that made the batch", to="api_key"),
            "held_nanousd": NeededColumn(
                "nanousd",
                "reserved amount",
                purposes=("billing",),
                standard={"data_category": "user.payment", "dpv": "Transaction"},
            ),
            "created_at": NeededColumn("timestamp", "time of creation"),
            "upstream_id": NeededColumn(
                "text",
                "finds the record of a batch by the id its owner knows",
                unique=True,
                written_always=False,
                changes=True,
            ),
            "settled_at": NeededColumn("timestamp", "ends the reservation", written_always=False, changes=True),
            "ended_at": NeededColumn(
                "timestamp",
                "marks a batch that was deleted or never came to be",
                written_always=False,
                changes=True,
            ),
        },
        may_be_missing=True,
    ),
    "account_limits": NeededTable(
        label="limits of your account",
        when="you or we change them",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": NeededColumn("reference", "joins the limits to their account", unique=True, to="account"),
            "month_limit_nanousd": NeededColumn(
                "nanousd",
                "your spending limit",
                written_always=False,
                changes=True,
                purposes=("billing",),
                standard={"data_category": "user.account.settings", "dpv": "ServiceConsumptionBehaviour"},
            ),
            **{
                name: NeededColumn("count", "raises or lowers that limit", written_always=False, changes=True)
                for name in LIMITS
            },
        },
        may_be_missing=True,
    ),
    "key_spending": NeededTable(
        label="monthly spending",
        when="an API request is made",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "api_key_id": NeededColumn("reference", "joins the sum to its key", to="api_key"),
            "month": NeededColumn("timestamp", "the first moment of the month in UTC"),
            "spent_nanousd": NeededColumn("nanousd", "what the key was charged in that month", changes=True),
        },
        may_be_missing=True,
    ),
    "spending_lease": NeededTable(
        label="spending set aside",
        when="your API requests are answered",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "limit_id": NeededColumn("uuid", "names one month of the limit"),
            "process_id": NeededColumn("uuid", "names the process that may spend it"),
            "remaining_nanousd": NeededColumn("nanousd", "what the process has not charged yet", changes=True),
            "expires_at": NeededColumn("timestamp", "ends a lease whose process is gone", changes=True),
        },
        may_be_missing=True,
    ),
    "retention_run": NeededTable(
        label="evidence of retention runs",
        when="a retention job runs",
        subject="none",
        columns={
            "rule": NeededColumn("text", "names the retention rule"),
            "as_of": NeededColumn("timestamp", "the moment the rule was applied for"),
            "started_at": NeededColumn("timestamp", "start of the run"),
            "finished_at": NeededColumn("timestamp", "end of the run", written_always=False),
            "removed": NeededColumn("count", "how many rows went"),
            "outcome": NeededColumn("one_of", "how the run ended", values=("running", "complete", "refused", "failed")),
            "policy_digest": NeededColumn("text", "names the policy that was applied"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "book": NeededTable(
        label="the operator's side of the books",
        when="a balance changes",
        subject="none",
        columns={
            "id": NeededColumn("uuid", "makes a repeated entry impossible", key=True, unique=True),
            "kind": NeededColumn("one_of", "tells what was booked", values=(*ENTRY_ACCOUNTS, *TRANSFERS)),
            "debit": NeededColumn("one_of", "names the account that gives", values=ACCOUNTS),
            "credit": NeededColumn("one_of", "names the account that takes", values=ACCOUNTS),
            "amount_nanousd": NeededColumn("nanousd", "amount"),
            "occurred_at": NeededColumn("timestamp", "time"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "payment": NeededTable(
        label="payments",
        when="you pay",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "cause": NeededColumn(
                "one_of", "tells a top-up by hand from an automatic one", values=("checkout", "automatic")
            ),
            "state": NeededColumn(
                "one_of",
                "how far the payment is",
                changes=True,
                values=("begun", "open", "processing", "failed", "expired", "paid", "disputed"),
            ),
            "checkout": NeededColumn(
                "text", "names the page on which it is paid", unique=True, written_always=False, changes=True
            ),
            "intent": NeededColumn(
                "text", "names the payment at the processor", unique=True, written_always=False, changes=True
            ),
            "fee_nanousd": NeededColumn("nanousd", "what the processor kept", written_always=False, changes=True),
            "refunded_nanousd": NeededColumn("nanousd", "how much of it was refunded", changes=True),
            "amount_nanousd": _AMOUNT,
            "created_at": NeededColumn("timestamp", "time"),
        },
        may_be_missing=True,
    ),
    "refund": NeededTable(
        label="refunds",
        when="you ask for unused credit back",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "payment_id": NeededColumn("reference", "joins the refund to its payment", to="payment"),
            "state": NeededColumn(
                "one_of", "how far the refund is", changes=True, values=("requested", "pending", "succeeded", "failed")
            ),
            "processor_id": NeededColumn(
                "text", "names the refund at the processor", unique=True, written_always=False, changes=True
            ),
            "paid_nanousd": NeededColumn("nanousd", "what is paid back, less the processor's fee"),
            "amount_nanousd": _AMOUNT,
            "created_at": NeededColumn("timestamp", "time"),
        },
        may_be_missing=True,
    ),
    "payment_profile": NeededTable(
        label="payment settings",
        when="you first top up",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": NeededColumn("reference", "joins the settings to their account", to="account", unique=True),
            "customer": NeededColumn(
                "text", "names the account at the processor", unique=True, written_always=False, changes=True
            ),
            "automatic": NeededColumn(
                "one_of",
                "whether credit is topped up by itself",
                changes=True,
                values=("off", "wanted", "on", "failed"),
            ),
            "method": NeededColumn(
                "text", "names the stored means of payment at the processor", written_always=False, changes=True
            ),
            "threshold_nanousd": NeededColumn(
                "nanousd", "the balance below which credit is topped up", written_always=False, changes=True
            ),
            "top_up_nanousd": NeededColumn("nanousd", "how much is topped up", written_always=False, changes=True),
            "monthly_max_nanousd": NeededColumn(
                "nanousd", "how much at most in a calendar month", written_always=False, changes=True
            ),
            "consented_at": NeededColumn("timestamp", "when that was agreed to", written_always=False, changes=True),
            "failures": NeededColumn("count", "how many attempts failed since one succeeded", changes=True),
        },
        may_be_missing=True,
    ),
    "payment_event": NeededTable(
        label="what the processor told",
        when="the payment processor tells of a payment",
        subject="none",
        columns={
            "id": _KEY,
            "event": NeededColumn("text", "names the message", unique=True),
            "kind": NeededColumn("text", "what it is about"),
            "outcome": NeededColumn(
                "one_of", "what came of it", changes=True, values=("applied", "ignored", "unclaimed", "mismatch")
            ),
            "reference": NeededColumn("text", "names a payment that nobody claims", written_always=False, changes=True),
            "signed_at": NeededColumn("timestamp", "tells a repeated message from a replayed one", changes=True),
            "received_at": NeededColumn("timestamp", "time"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
}
"""By the names of data categories and of their columns."""

KNOWN_COLUMNS: Mapping[str, Mapping[str, NeededColumn]] = {
    "api_key": {
        "label": NeededColumn("text", "the name of the key", written_always=False, purposes=("dashboard",)),
        "last_used_on": NeededColumn("date", "the day of its last use", written_always=False, purposes=("dashboard",)),
        "month_limit_nanousd": NeededColumn(
            "nanousd", "your spending limit", written_always=False, purposes=("billing",)
        ),
        "slot": NeededColumn(
            "uuid",
            "is taken by one active key of an account at a time",
            unique=True,
            written_always=False,
            changes=True,
        ),
    },
}
"""Columns that the library fills where the policy declares them, and does without where it does not."""

NEEDED_LOGS = ("service", "retention")
"""The logs that the processes write. Which fields they have is the policy's choice: what is not declared is dropped."""
