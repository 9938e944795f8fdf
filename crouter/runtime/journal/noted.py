"""An entry on its way into the database: its text as it stands in the journal, and beside it what shipping asks of it.

The text is passed on as it is; what else is in it only the database reads.
"""

import uuid
from datetime import datetime

from crouter.runtime.journal.entry import Entry, entry_bytes, read_entry


class Noted:
    """Never changed once made."""

    __slots__ = ("account", "api_key", "body", "cost_nanousd", "id", "occurred_at")

    def __init__(
        self,
        id_: uuid.UUID,
        account: uuid.UUID,
        api_key: uuid.UUID,
        occurred_at: datetime,
        cost_nanousd: int,
        body: bytes,
    ) -> None:
        self.id = id_
        self.account = account
        self.api_key = api_key
        self.occurred_at = occurred_at
        self.cost_nanousd = cost_nanousd
        self.body = body


def noted(entry: Entry) -> Noted:
    """An entry with its text."""
    return Noted(entry.id, entry.account, entry.api_key, entry.occurred_at, entry.cost_nanousd, entry_bytes(entry))


def read_noted(body: bytes) -> Noted:
    """What stands in the journal, in the form of today. Raises UnreadableEntryError."""
    return noted(read_entry(body))
