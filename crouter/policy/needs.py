"""The columns and logs that the library itself reads and writes. Its statements name them, whatever policy.yaml says.

They are declared in policy.yaml like every other column, so that the document, the export and the schema know them; and
they are listed here, so that an edit that takes one away is answered with its place and the line to add, and not with a
failing statement in a running service. A test runs the library's statements against exactly these columns.

Columns that the library finds by what they are, and not by name, are not listed: those of a usage row are
filled by `measures.py`, and the ends of an account by the retention rules.
"""

from collections.abc import Mapping

from crouter.policy.needed import accounts, money, operating, rights
from crouter.policy.needed.column import NeededColumn, NeededTable

__all__ = ("KNOWN_COLUMNS", "NEEDED_LOGS", "NEEDED_TABLES", "NeededColumn", "NeededTable")

NEEDED_TABLES: Mapping[str, NeededTable] = {
    **accounts.TABLES,
    **money.TABLES,
    **operating.TABLES,
    **rights.TABLES,
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
