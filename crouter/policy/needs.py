"""The columns and logs that the library itself reads and writes. Its statements name them, whatever policy.yaml says.

They are declared in policy.yaml like every other column, so that the document, the export and the schema know them; and
they are listed here, so that an edit that takes one away is answered with its place and the line to add, and not with a
failing statement in a running service. A test runs the library's statements against exactly these columns.

Columns that the library finds by what they are, and not by name, are not listed: those of a usage row are
filled by `measures.py`, and the ends of an account by the retention rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass


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


_KEY = NeededColumn("uuid", "names the row", key=True, unique=True)
_ACCOUNT = NeededColumn("reference", "joins the row to its account", to="account")

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
    "consent": NeededTable(
        label="your choice and its time under a random number",
        when="you choose about analytics",
        subject="none",
        columns={
            "id": _KEY,
            "consent_id": NeededColumn("uuid", "the random number that the browser keeps beside the choice"),
            "choice": NeededColumn("one_of", "what was chosen about analytics", values=("accepted", "refused")),
            "policy_digest": NeededColumn("text", "names the policy that was shown"),
            "recorded_at": NeededColumn("timestamp", "when it was chosen"),
        },
        may_be_missing=True,
        may_hold_more=False,
    ),
}
"""By the names of data categories and of their columns."""

NEEDED_LOGS = ("service", "retention")
"""The logs that the processes write. Which fields they have is the policy's choice: what is not declared is dropped."""
