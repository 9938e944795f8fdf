"""The names of the two sides of the books: the ledger's kinds of entry, and the operator's accounts they meet."""

from collections.abc import Mapping
from typing import Final

BOOK: Final = "book"
LEDGER: Final = "ledger"
CUSTOMERS: Final = "customers"
"""What all customers together have: the sum of the ledger."""
RETIRED: Final = "retired"
"""What stood in entries that are gone: summed up in one, or of an account that was erased."""

ENTRY_ACCOUNTS: Final[Mapping[str, str]] = {
    "grant": "promotions",
    "top_up": "stripe_clearing",
    "charge": "revenue",
    "refund": "refunds_payable",
    "dispute": "disputes",
}
"""By the kind of an entry, the account on its other side."""

ACCOUNTS: Final = (
    CUSTOMERS,
    "promotions",
    "stripe_clearing",
    "revenue",
    "processor_fees",
    "refunds_payable",
    "disputes",
    "unclaimed",
    RETIRED,
)
TRANSFERS: Final = ("fee", "payout", "unclaimed", "withheld")
"""Kinds of what moves between accounts of the operator's alone."""
