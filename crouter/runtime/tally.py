"""What entries come to that count for the same key and the same month."""

import uuid
from datetime import datetime

import msgspec


class Tally(msgspec.Struct, gc=False):
    """The entries of one key in one month (UTC). The limits are the ids of that month for the key and the account."""

    account: uuid.UUID
    api_key: uuid.UUID
    month: datetime
    key_limit: uuid.UUID
    account_limit: uuid.UUID
    first_at: datetime
    last_at: datetime
    records: int = 0
    cost_nanousd: int = 0


_encode = msgspec.json.Encoder().encode


def tallies_text(tallies: list[Tally]) -> str:
    """A JSON array of them, for a statement."""
    return _encode(tallies).decode()
