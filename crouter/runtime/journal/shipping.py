"""Brings records into the database, whatever some of them are like.

A record that the database refuses does not stop the others: the batch is halved until it stands alone, and then it is
set aside in a file, with an alarm. Refusals that are not about a record - no privilege, no such column - stop
everything instead: what is kept can be shipped when that is mended.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from crouter.runtime.database.errors import DatabaseAwayError, DatabaseRefusedError
from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.entry import Entry, UnreadableEntryError, read_entry
from crouter.runtime.journal.quarantine import set_aside
from crouter.runtime.spending.spending import limits_of_charge

# SQLSTATE classes 22 and 23, data exceptions and violated constraints: they are about a row.
_ABOUT_A_ROW: Final = frozenset({"22", "23"})


class Written(Protocol):
    """What became of entries: see `crouter.runtime.usage.Shipped`."""

    @property
    def dropped(self) -> frozenset[uuid.UUID]: ...
    @property
    def remaining(self) -> dict[uuid.UUID, int]: ...
    @property
    def room(self) -> dict[uuid.UUID, int]: ...


Write = Callable[[uuid.UUID, Sequence[Entry]], Awaitable[Written]]


@dataclass(slots=True)
class Outcome:
    """What became of a batch, in nanodollars by account, and in records."""

    charged: Counter[uuid.UUID] = field(default_factory=Counter)
    uncharged: Counter[uuid.UUID] = field(default_factory=Counter)
    remaining: dict[uuid.UUID, int] = field(default_factory=dict)
    room: dict[uuid.UUID, int] = field(default_factory=dict)
    spent: Counter[uuid.UUID] = field(default_factory=Counter)
    """What was charged, by the months of spending limits that it counts for."""
    unspent: Counter[uuid.UUID] = field(default_factory=Counter)
    written: int = 0
    dropped: int = 0
    quarantined: int = 0


class Shipper:
    """Ships batches of one root of journals with `write`, which writes entries of a process once, however often."""

    def __init__(self, write: Write, root: Path, disk: Disk | None = None) -> None:
        self._write = write
        self._root = root
        self._disk = disk or Disk()

    async def ship(self, process: uuid.UUID, bodies: Sequence[bytes]) -> Outcome:
        """Ships records of a process, or sets them aside. All or nothing is known when it returns.

        Raises DatabaseError, OSError: then the same records have to be shipped again, which changes nothing.
        """
        outcome = Outcome()
        entries: list[tuple[Entry, bytes]] = []
        for body in bodies:
            try:
                entries.append((read_entry(body), body))
            except UnreadableEntryError:
                await self._set_aside(process, body)
                outcome.quarantined += 1
        if entries:
            await self._ship(process, entries, outcome)
        return outcome

    async def _ship(self, process: uuid.UUID, entries: Sequence[tuple[Entry, bytes]], outcome: Outcome) -> None:
        try:
            written = await self._write(process, [entry for entry, _ in entries])
        except DatabaseAwayError:
            raise
        except DatabaseRefusedError as error:
            if error.code[:2] not in _ABOUT_A_ROW:
                raise
            await self._split(process, entries, outcome)
            return
        outcome.remaining |= written.remaining
        outcome.room |= written.room
        for entry, _ in entries:
            if entry.id in written.dropped:
                outcome.dropped += 1
                _uncharged(outcome, entry)
            else:
                outcome.written += 1
                outcome.charged[entry.account] += entry.cost_nanousd
                for limit in limits_of_charge(entry.account, entry.api_key, entry.occurred_at):
                    outcome.spent[limit] += entry.cost_nanousd

    async def _split(self, process: uuid.UUID, entries: Sequence[tuple[Entry, bytes]], outcome: Outcome) -> None:
        if len(entries) > 1:
            middle = len(entries) // 2
            await self._ship(process, entries[:middle], outcome)
            await self._ship(process, entries[middle:], outcome)
            return
        ((entry, body),) = entries
        await self._set_aside(process, body)
        outcome.quarantined += 1
        _uncharged(outcome, entry)

    async def _set_aside(self, process: uuid.UUID, body: bytes) -> None:
        await asyncio.to_thread(set_aside, self._disk, self._root, process, body)


def _uncharged(outcome: Outcome, entry: Entry) -> None:
    outcome.uncharged[entry.account] += entry.cost_nanousd
    for limit in limits_of_charge(entry.account, entry.api_key, entry.occurred_at):
        outcome.unspent[limit] += entry.cost_nanousd
