"""Adopts the journals of dead processes: ships what is in them, ends their leases, and removes them."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.folder import ProcessFolder, orphan_paths
from crouter.runtime.journal.segment import ForeignSegmentError, read_unshipped
from crouter.runtime.journal.shipping import Outcome, Shipper

BATCH_RECORDS: Final = 2000


@dataclass(slots=True)
class Adopted:
    """What was found in journals of dead processes, in processes, segments and records."""

    processes: int = 0
    torn: int = 0
    foreign: int = 0
    written: int = 0
    dropped: int = 0
    quarantined: int = 0

    def add(self, outcome: Outcome) -> None:
        self.written += outcome.written
        self.dropped += outcome.dropped
        self.quarantined += outcome.quarantined


class Adopter:
    """Adopts below one root. Two at once, in any processes of the machine, never adopt the same journal."""

    def __init__(
        self,
        root: Path,
        own: uuid.UUID,
        shipper: Shipper,
        end_leases: Callable[[uuid.UUID], Awaitable[None]],
        disk: Disk | None = None,
    ) -> None:
        self._root = root
        self._own = own
        self._shipper = shipper
        self._end_leases = end_leases
        self._disk = disk or Disk()
        self._foreign: set[uuid.UUID] = set()

    async def adopt(self, adopted: Adopted) -> None:
        """Adopts every journal there is, and counts in `adopted`. Raises DatabaseError, OSError; the rest stays."""
        for path in orphan_paths(self._root, self._own):
            folder = ProcessFolder.adopt(self._disk, path)
            if folder is not None:
                await self._empty(folder, adopted)

    async def _empty(self, folder: ProcessFolder, adopted: Adopted) -> None:
        done = False
        try:
            for segment in folder.segments():
                await self._ship(folder.process, segment, adopted)
                self._disk.remove(segment)
            # What its leases had left was never spent; what was, is in the ledger now.
            await self._end_leases(folder.process)
            done = True
            adopted.processes += 1
        except ForeignSegmentError:
            # Looked at again each time, and told once: a process that can read it may take it up.
            adopted.foreign += folder.process not in self._foreign
            self._foreign.add(folder.process)
        finally:
            folder.leave(remove=done)

    async def _ship(self, process: uuid.UUID, segment: Path, adopted: Adopted) -> None:
        frames = await asyncio.to_thread(read_unshipped, self._disk, segment)
        adopted.torn += frames.torn
        for start in range(0, len(frames.bodies), BATCH_RECORDS):
            adopted.add(await self._shipper.ship(process, frames.bodies[start : start + BATCH_RECORDS]))
