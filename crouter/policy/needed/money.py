"""The operator's side of the books, payments and refunds."""

from collections.abc import Mapping

from crouter.policy.books import ACCOUNTS, ENTRY_ACCOUNTS, TRANSFERS
from crouter.policy.needed.column import ACCOUNT, AMOUNT, KEY, NeededColumn, NeededTable

TABLES: Mapping[str, NeededTable] = {
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
            "id": KEY,
            "account_id": ACCOUNT,
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
            "amount_nanousd": AMOUNT,
            "created_at": NeededColumn("timestamp", "time"),
        },
        may_be_missing=True,
    ),
    "refund": NeededTable(
        label="refunds",
        when="you ask for unused credit back",
        owner="account",
        columns={
            "id": KEY,
            "account_id": ACCOUNT,
            "payment_id": NeededColumn("reference", "joins the refund to its payment", to="payment"),
            "state": NeededColumn(
                "one_of", "how far the refund is", changes=True, values=("requested", "pending", "succeeded", "failed")
            ),
            "processor_id": NeededColumn(
                "text", "names the refund at the processor", unique=True, written_always=False, changes=True
            ),
            "paid_nanousd": NeededColumn("nanousd", "what is paid back, less the processor's fee"),
            "amount_nanousd": AMOUNT,
            "created_at": NeededColumn("timestamp", "time"),
        },
        may_be_missing=True,
    ),
    "payment_profile": NeededTable(
        label="payment settings",
        when="you first top up",
        owner="account",
        columns={
            "id": KEY,
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
            "id": KEY,
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
