"""One record of the journal: who used how much of what, and what it costs. Nothing of the content is in it.

The form has a version. A process adopts only what it can read; a newer form waits for a process that knows it.
"""

import uuid
from datetime import datetime
from typing import Any, Final

import msgspec

FORM: Final = 1


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One ended attempt. `measures` are those of the contract, by name, without what was not reported.

    `id` names the usage row and the charge alike, so that shipping twice changes nothing.
    """

    id: uuid.UUID
    account: uuid.UUID
    api_key: uuid.UUID
    occurred_at: datetime
    measures: dict[str, Any]
    outcome: str
    cost_nanousd: int
    price_version: str
    policy_digest: str
    form: int = 0


class UnreadableEntryError(ValueError):
    """A body that is no entry of a form that this version knows; says nothing of what it holds."""


_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode = msgspec.msgpack.Decoder(Entry).decode


def entry_bytes(entry: Entry) -> bytes:
    """The body of the record."""
    return _encode(entry)


def read_entry(body: bytes) -> Entry:
    """The entry of a body. Raises UnreadableEntryError."""
    try:
        entry = _decode(body)
    except msgspec.MsgspecError:
        raise UnreadableEntryError("no entry of this version") from None
    if entry.form != FORM:
        raise UnreadableEntryError("an entry of another form")
    return entry
