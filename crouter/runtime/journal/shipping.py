"""Brings records into the database, whatever some of them are like.

A record that the database refuses does not stop the others: the batch is halved until it stands alone, and then it is
set aside in a file, with an alarm. Refusals that are not about a record - no privilege, no such column - stop
everything instead: what is kept can be shipped when that is mended.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from crouter.runtime.charging import tallied
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseRefusedError
from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.entry import UnreadableEntryError
from crouter.runtime.journal.noted import Noted, read_noted
from crouter.runtime.journal.quarantine import set_aside
from crouter.runtime.tally import Tally

# SQLSTATE classes 22 and 23, data exceptions and violated constraints: they are about a row.
_ABOUT_A_ROW: Final = frozenset({"22", "23"})


class Written(Protocol):
    """What became of entries: see `crouter.runtime.usage.Shipped`."""

    @property
    def written(self) -> Sequence[Tally]: ...
    @property
    def dropped(self) -> Sequence[Tally]: ...
    @property
    def remaining(self) -> dict[uuid.UUID, int]: ...
    @property
    def room(self) -> dict[uuid.UUID, int]: ...


Write = Callable[[uuid.UUID, Sequence[Noted]], Awaitable[Written]]


@dataclass(slots=True)
class Outcome:
    """What became of a batch."""

    remaining: dict[uuid.UUID, int] = field(default_factory=dict)
    room: dict[uuid.UUID, int] = field(default_factory=dict)
    written: int = 0
    """In records, like those below."""
    dropped: int = 0
    quarantined: int = 0
    charges: list[Tally] = field(default_factory=list)
    """What was written."""
    no_charges: list[Tally] = field(default_factory=list)
    """What never will be."""

    @property
    def charged(self) -> dict[uuid.UUID, int]:
        """Nanodollars by account."""
        return _by_account(self.charges)

    @property
    def uncharged(self) -> dict[uuid.UUID, int]:
        return _by_account(self.no_charges)

    @property
    def spent(self) -> dict[uuid.UUID, int]:
        """What was charged, by the months of spending limits that it counts for."""
        return _by_limit(self.charges)

    @property
    def unspent(self) -> dict[uuid.UUID, int]:
        return _by_limit(self.no_charges)


class Shipper:
    """Ships batches of one root of journals with `write`, which writes entries of a process once, however often."""

    def __init__(self, write: Write, root: Path, disk: Disk | None = None) -> None:
        self._write = write
        self._root = root
        self._disk = disk or Disk()

    async def ship(self, process: uuid.UUID, bodies: Sequence[bytes], entries: Sequence[Noted] = ()) -> Outcome:
        """Ships records of a process, or sets them aside: such as have to be read, and such as are known.

        All or nothing is known when it returns. Raises DatabaseError, OSError: then the same records have to be shipped
        again, which changes nothing.
        """
        outcome = Outcome()
        read: list[Noted] = []
        for body in bodies:
            try:
                read.append(read_noted(body))
            except UnreadableEntryError:
                await self._set_aside(process, body)
                outcome.quarantined += 1
        known = [*read, *entries] if read else entries
        if known:
            await self._ship(process, known, outcome)
        return outcome

    async def _ship(self, process: uuid.UUID, entries: Sequence[Noted], outcome: Outcome) -> None:
        try:
            written = await self._write(process, entries)
        except DatabaseAwayError:
            raise
        except DatabaseRefusedError as error:
            if error.code[:2] not in _ABOUT_A_ROW:
                raise
            await self._split(process, entries, outcome)
            return
        outcome.remaining |= written.remaining
        outcome.room |= written.room
        outcome.written += sum([tally.records for tally in written.written])
        outcome.dropped += sum([tally.records for tally in written.dropped])
        outcome.charges += written.written
        outcome.no_charges += written.dropped

    async def _split(self, process: uuid.UUID, entries: Sequence[Noted], outcome: Outcome) -> None:
        if len(entries) > 1:
            middle = len(entries) // 2
            await self._ship(process, entries[:middle], outcome)
            await self._ship(process, entries[middle:], outcome)
            return
        await self._set_aside(process, entries[0].body)
        outcome.quarantined += 1
        outcome.no_charges += tallied(entries)

    async def _set_aside(self, process: uuid.UUID, body: bytes) -> None:
        await asyncio.to_thread(set_aside, self._disk, self._root, process, body)


def _by_account(tallies: Iterable[Tally]) -> dict[uuid.UUID, int]:
    sums: dict[uuid.UUID, int] = {}
    for tally in tallies:
        sums[tally.account] = sums.get(tally.account, 0) + tally.cost_nanousd
    return sums


def _by_limit(tallies: Iterable[Tally]) -> dict[uuid.UUID, int]:
    sums: dict[uuid.UUID, int] = {}
    for tally in tallies:
        for limit in (tally.key_limit, tally.account_limit):
            sums[limit] = sums.get(limit, 0) + tally.cost_nanousd
    return sums
