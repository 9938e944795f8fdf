"""Accounts, their keys, what they may use, and what became of it in requests."""

from collections.abc import Mapping

from crouter.policy.needed.column import ACCOUNT, KEY, NeededColumn, NeededTable

LIMITS = (
    "requests_per_minute",
    "requests_per_hour",
    "requests_per_day",
    "input_tokens_per_minute",
    "output_tokens_per_minute",
    "concurrent_requests",
)
"""The limits of a key that an account may have of its own."""

TABLES: Mapping[str, NeededTable] = {
    "account": NeededTable(
        label="account data",
        when="you create an account",
        columns={
            "id": KEY,
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
            "id": KEY,
            "account_id": ACCOUNT,
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
            "id": KEY,
            "account_id": ACCOUNT,
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
            "id": KEY,
            "account_id": ACCOUNT,
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
            "id": KEY,
            "account_id": ACCOUNT,
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
            "id": KEY,
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
            "id": KEY,
            "account_id": ACCOUNT,
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
            "id": KEY,
            "account_id": ACCOUNT,
            "limit_id": NeededColumn("uuid", "names one month of the limit"),
            "process_id": NeededColumn("uuid", "names the process that may spend it"),
            "remaining_nanousd": NeededColumn("nanousd", "what the process has not charged yet", changes=True),
            "expires_at": NeededColumn("timestamp", "ends a lease whose process is gone", changes=True),
        },
        may_be_missing=True,
    ),
    "session": NeededTable(
        label="sign-in data",
        when="you sign in",
        owner="account",
        columns={
            "id": KEY,
            "account_id": ACCOUNT,
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
}
