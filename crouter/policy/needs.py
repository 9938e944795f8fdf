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

_TELEMETRY = {"data_category": "user.telemetry", "dpv": "ServiceConsumptionBehaviour"}

_ACCESS = {"data_category": "user.account", "dpv": "ServiceConsumptionBehaviour"}

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
    "data_request": NeededTable(
        label="privacy requests",
        when="you ask for a copy, a correction or a deletion of your data, or object to its use",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "received_at": NeededColumn(
                "timestamp",
                "time of the request",
                purposes=("rights",),
                standard={"data_category": "user.behavior", "dpv": "ServiceConsumptionBehaviour"},
            ),
            "kind": NeededColumn(
                "one_of",
                "says what was asked for",
                values=(
                    "copy",
                    "correction",
                    "deletion",
                    "objection",
                ),
            ),
            "channel": NeededColumn(
                "one_of",
                "says how it was asked for",
                values=(
                    "page",
                    "contact",
                ),
            ),
            "state": NeededColumn(
                "one_of",
                "says how far the answer is",
                changes=True,
                values=(
                    "received",
                    "acknowledged",
                    "extended",
                    "answered",
                    "refused",
                    "withdrawn",
                ),
            ),
            "reason": NeededColumn(
                "one_of",
                "gives the reason of an extension or a refusal",
                written_always=False,
                changes=True,
                values=(
                    "complex",
                    "many_requests",
                    "identity_not_proven",
                    "manifestly_unfounded",
                    "excessive",
                    "rights_of_others",
                    "law_requires_keeping",
                    "no_such_data",
                ),
            ),
            "due_at": NeededColumn("timestamp", "the moment by which the answer is due", changes=True),
            "acknowledged_at": NeededColumn(
                "timestamp", "says when the person was told that it has come", written_always=False, changes=True
            ),
            "extended_at": NeededColumn(
                "timestamp", "says when the deadline was extended", written_always=False, changes=True
            ),
            "closed_at": NeededColumn("timestamp", "ends the request", written_always=False, changes=True),
            "warned": NeededColumn("count", "how many warnings of its deadline were given", changes=True),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "data_copy": NeededTable(
        label="copies of your data",
        when="you ask for a copy of your data",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "data_request_id": NeededColumn("reference", "joins the copy to the request for it", to="data_request"),
            "state": NeededColumn(
                "one_of",
                "says how far the copy is",
                changes=True,
                values=(
                    "waiting",
                    "making",
                    "ready",
                    "taken",
                    "failed",
                ),
            ),
            "opener": NeededColumn(
                "sealed", "opens the pieces until the copy was taken", written_always=False, changes=True
            ),
            "rows_done": NeededColumn("count", "how many rows are in it", changes=True),
            "rows_total": NeededColumn("count", "how many rows it will have", changes=True),
            "size_bytes": NeededColumn("count", "how large the file is", changes=True),
            "made_at": NeededColumn("timestamp", "begins the time in which it can be taken"),
            "worked_at": NeededColumn(
                "timestamp", "says when its making last went on", written_always=False, changes=True
            ),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "copy_piece": NeededTable(
        label="pieces of copies",
        when="a copy of your data is made",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "copy_id": NeededColumn("reference", "joins the piece to its copy", to="data_copy"),
            "number": NeededColumn("count", "orders the pieces"),
            "part": NeededColumn("sealed", "holds the bytes of this piece"),
            "made_at": NeededColumn("timestamp", "begins the time in which it is kept"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "erasure": NeededTable(
        label="evidence of deletions",
        when="the deletion of an account is asked for",
        subject="none",
        columns={
            "id": _KEY,
            "account": NeededColumn("uuid", "names the account until it is erased", written_always=False, changes=True),
            "tombstone": NeededColumn(
                "keyed_hash", "finds the deletion again after a restore", written_always=False, changes=True
            ),
            "asked_at": NeededColumn("timestamp", "starts the clock"),
            "due_at": NeededColumn("timestamp", "the moment by which everything is gone"),
            "state": NeededColumn(
                "one_of",
                "says how far the deletion is",
                changes=True,
                values=(
                    "waiting",
                    "erased",
                    "done",
                    "withdrawn",
                ),
            ),
            "credit": NeededColumn(
                "one_of",
                "says what becomes of unused credit",
                values=(
                    "no_credit",
                    "refund",
                    "given_up",
                ),
            ),
            "erased_at": NeededColumn(
                "timestamp", "says when the data here was gone", written_always=False, changes=True
            ),
            "kept_until": NeededColumn(
                "timestamp", "says when what a law keeps is gone too", written_always=False, changes=True
            ),
            "ended_at": NeededColumn("timestamp", "ends the deletion", written_always=False, changes=True),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "erasure_step": NeededTable(
        label="steps of deletions",
        when="the deletion of an account is asked for",
        subject="none",
        columns={
            "id": _KEY,
            "erasure_id": NeededColumn("reference", "joins the step to its deletion", to="erasure"),
            "processor": NeededColumn("text", "names the processor"),
            "pointer": NeededColumn(
                "sealed", "finds the copy of the processor until it is gone", written_always=False, changes=True
            ),
            "state": NeededColumn(
                "one_of",
                "says how far the step is",
                changes=True,
                values=(
                    "waiting",
                    "done",
                    "nothing_held",
                ),
            ),
            "attempts": NeededColumn("count", "how often the processor was asked", changes=True),
            "error": NeededColumn("text", "names the kind of the last failure", written_always=False, changes=True),
            "next_at": NeededColumn("timestamp", "the moment of the next attempt", changes=True),
            "asked_at": NeededColumn("timestamp", "begins the time in which it is kept"),
            "ended_at": NeededColumn("timestamp", "ends the step", written_always=False, changes=True),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
    "outbox": NeededTable(
        label="mail data",
        when="there is something to tell you by mail",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "template": NeededColumn("text", "kind of mail", standard=_TELEMETRY),
            "values": NeededColumn(
                "words",
                "amounts and dates it tells",
                standard={"data_category": "user.payment", "dpv": "Transaction"},
            ),
            "created_at": NeededColumn("timestamp", "time", standard=_TELEMETRY),
            "state": NeededColumn(
                "one_of",
                "tells what is still to be sent",
                changes=True,
                values=("waiting", "sent", "dropped", "parked"),
            ),
            "attempts": NeededColumn("count", "bounds how often it is tried", changes=True),
            "next_at": NeededColumn("timestamp", "the moment of the next attempt", changes=True),
            "error": NeededColumn(
                "text", "names what stood against the last attempt", written_always=False, changes=True
            ),
        },
        may_be_missing=True,
    ),
    "job_run": NeededTable(
        label="evidence of jobs",
        when="a job runs",
        subject="none",
        columns={
            "id": _KEY,
            "name": NeededColumn("text", "names the job", unique=True),
            "started_at": NeededColumn("timestamp", "start of its last run", changes=True),
            "finished_at": NeededColumn(
                "timestamp", "end of its last complete run", written_always=False, changes=True
            ),
            "outcome": NeededColumn(
                "one_of", "how the last run ended", changes=True, values=("running", "complete", "failed")
            ),
            "error": NeededColumn("text", "names what ended the last run", written_always=False, changes=True),
        },
        may_be_missing=True,
    ),
    "published_version": NeededTable(
        label="evidence of published versions",
        when="a version of this policy is published",
        subject="none",
        columns={
            "id": _KEY,
            "name": NeededColumn("text", "names the version", unique=True),
            "policy_digest": NeededColumn("text", "names what it says"),
            "effective_at": NeededColumn("timestamp", "the moment from which it is in force"),
            "published_at": NeededColumn("timestamp", "the moment of publication"),
            "announced_at": NeededColumn(
                "timestamp",
                "the moment at which every account had been told",
                written_always=False,
                changes=True,
            ),
        },
        may_be_missing=True,
    ),
    "session": NeededTable(
        label="sign-in data",
        when="you sign in",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "created_at": NeededColumn(
                "timestamp",
                "time of sign-in",
                purposes=("authentication",),
                standard={"data_category": "user.telemetry", "dpv": "ServiceConsumptionBehaviour"},
            ),
            "expires_at": NeededColumn("timestamp", "ends a session that nobody ended"),
            "ended_at": NeededColumn("timestamp", "ends the session at sign-out", written_always=False, changes=True),
            "renewal": NeededColumn(
                "sealed",
                "asks the identity provider whether the sign-in still holds",
                written_always=False,
                changes=True,
            ),
            "renew_at": NeededColumn(
                "timestamp", "when the identity provider is asked again", written_always=False, changes=True
            ),
        },
        may_be_missing=True,
    ),
    "access_record": NeededTable(
        label="access records",
        when="an operator looks at your data",
        owner="account",
        columns={
            "id": _KEY,
            "account_id": _ACCOUNT,
            "operator": NeededColumn("text", "who looked", purposes=("accountability",), standard=_ACCESS),
            "accessed": NeededColumn(
                "text", "what was looked at or changed", purposes=("accountability",), standard=_ACCESS
            ),
            "reason": NeededColumn("text", "the reason given", purposes=("accountability",), standard=_ACCESS),
            "occurred_at": NeededColumn("timestamp", "time of access", purposes=("accountability",), standard=_ACCESS),
        },
        may_be_missing=True,
    ),
    "reconciliation": NeededTable(
        label="results of reconciliation",
        when="books are compared",
        subject="none",
        columns={
            "id": _KEY,
            "run_id": NeededColumn("uuid", "joins the results of one run"),
            "checked_at": NeededColumn("timestamp", "the moment of the comparison"),
            "source": NeededColumn(
                "one_of", "what our books were compared with", values=("ledger", "stripe", "upstream")
            ),
            "day": NeededColumn("timestamp", "the day that is compared"),
            "subject": NeededColumn("text", "the model or the kind of movement"),
            "measure": NeededColumn("text", "what was counted"),
            "ours": NeededColumn("count", "what our books say"),
            "theirs": NeededColumn("count", "what the other side says"),
            "explanations": NeededColumn("counts", "how much of the difference has which cause"),
            "state": NeededColumn(
                "one_of", "how the comparison ended", values=("agrees", "explained", "unexplained", "unknown")
            ),
        },
        may_be_missing=True,
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
