"""What three parties wrote down about the same requests: the client, the upstream, the database.

An attempt carries its identity in the counts that the upstream reports (`cache_read_input_tokens`), so that a row can
be traced to it whatever else the row holds. Content is kept in memory only, to be compared; nothing here is printed.
"""

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

# Attempts of one request that can be told apart: its identity is serial * ATTEMPTS_MAX + attempt.
ATTEMPTS_MAX: Final = 16
Headers = tuple[tuple[str, str], ...]


def identity_of(serial: int, attempt: int) -> int:
    """The count that an attempt reports as read from the cache."""
    assert 0 <= attempt < ATTEMPTS_MAX
    return serial * ATTEMPTS_MAX + attempt


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by the names of the usage record's columns; None where nothing was reported."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_read_tokens: int | None = None
    web_search_requests: int | None = None


@dataclass(slots=True)
class Saw:
    """What one client saw of one request. `whole` is True when HTTP says that the answer was complete."""

    serial: int
    account: uuid.UUID
    status: int = 0
    headers: Headers = ()
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    left: bool = False
    """Whether the client went away before the end, on purpose."""

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return next((value for other, value in self.headers if other.lower() == name), None)

    @property
    def is_ours(self) -> bool:
        """Whether the service itself gave this answer: then both request ids are one."""
        own = self.header("x-crouter-request-id")
        return own is not None and own == self.header("request-id")


@dataclass(slots=True)
class Sent:
    """What the upstream sent in one attempt. `body` is what was written, without chunk framing.

    `whole` says that the end was written, too; `closed_by_peer` that the other side ended the connection first.
    """

    serial: int
    attempt: int
    status: int = 0
    media_type: str = ""
    coding: str = ""
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    closed_by_peer: bool = False
    open: bool = True
    service_killed: bool = False
    """Whether the service was killed while it may have had this attempt in its memory only."""

    @property
    def identity(self) -> int:
        return identity_of(self.serial, self.attempt)


@dataclass(frozen=True, slots=True)
class Row:
    """One usage row."""

    id: uuid.UUID
    account: uuid.UUID
    counts: Counts


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger, in nanodollars: charges are negative."""

    id: uuid.UUID
    account: uuid.UUID
    kind: str
    amount: int


@dataclass(frozen=True, slots=True)
class Held:
    """What the database holds. `balances` is what the service's own reading of each account gives."""

    rows: tuple[Row, ...] = ()
    entries: tuple[Entry, ...] = ()
    balances: dict[uuid.UUID, int] = field(default_factory=dict)
    reserved: int = 0

    def sums(self) -> Counter[uuid.UUID]:
        """The sum of each account's ledger."""
        sums: Counter[uuid.UUID] = Counter()
        for entry in self.entries:
            sums[entry.account] += entry.amount
        return sums


@dataclass(slots=True)
class Journals:
    """All three, of one scenario. `credited` is what every account was given before, in nanodollars."""

    saw: list[Saw] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    held: Held = field(default_factory=Held)
    credited: dict[uuid.UUID, int] = field(default_factory=dict)
