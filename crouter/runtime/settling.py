"""Sees to it that what a request used is accounted for: in the journal before the end of its answer leaves, and in the
database soon after.

`record` is the ordinary way and waits for nobody. Where the journal takes no record - a full disk, a broken one - the
database is waited for instead, and where that is away, too, the client is told by an error in place of the end.
What is shipped is the journal's own; what dead processes left is `crouter.runtime.journal.adoption`.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crouter.runtime.credit.credit import Credit
from crouter.runtime.credit.lease import Hold
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.journal.adoption import Adopted, Adopter
from crouter.runtime.journal.frames import FRAME_BYTES_MAX
from crouter.runtime.journal.journal import SYNC_SECONDS, Batch, Journal
from crouter.runtime.journal.noted import Noted
from crouter.runtime.journal.shipping import Outcome, Shipper
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Counter, Metrics
from crouter.runtime.proxy.attempt import Outcome as Ended
from crouter.runtime.usage import Settlement, noted_of
from crouter.runtime.words import kind_of

EVENTS: Final = "crouter_journal_events_total"
RECORDS: Final = "crouter_usage_records_total"
ANSWER_WAITS_SECONDS: Final = 15.0
SHIP_SECONDS: Final = 0.02
BATCH_RECORDS: Final = 2000
RETRY_SECONDS: Final[tuple[float, ...]] = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
ADOPT_SECONDS: Final = 5.0
FAILED_DISK_SECONDS: Final = 1.0
DIRECT_MAX: Final = 1000
UNLEASED: Final = uuid.UUID(int=0)
"""Stands for a process that has no leases: what is shipped for it is taken off none."""


class NotRecordedError(Exception):
    """The record is not written yet, or cannot be: the answer must not end as if it were."""


@dataclass(slots=True)
class _Direct:
    """A record that the journal did not take."""

    entry: Noted
    written: "asyncio.Future[None]"


class _Bell:
    """Wakes one who waits. To ring it again costs nothing: that is done for every answer."""

    __slots__ = ("_event", "_rung")

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._rung = False

    def ring(self) -> None:
        """Wakes; the same until the bell is heard."""
        if not self._rung:
            self._rung = True
            self._event.set()

    async def heard(self) -> None:
        """Waits for it. What rings from then on is for the next time."""
        await self._event.wait()
        self._event.clear()
        self._rung = False


class Settling:
    """All records that are on their way into the database."""

    def __init__(
        self,
        journal: Journal,
        credit: Credit,
        shipper: Shipper,
        adopter: Adopter,
        *,
        room: Credit | None = None,
        policy_digest: str,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._journal = journal
        self._process: uuid.UUID = journal.folder.process
        self._credit = credit
        self._room = room
        self._shipper = shipper
        self._adopter = adopter
        self._policy_digest = policy_digest
        self._log = log
        self._metrics = metrics
        self._counted: dict[str, Counter] = {
            ended.value: metrics.counter(RECORDS, outcome=ended.value) for ended in Ended
        }
        self._direct: deque[_Direct] = deque()
        self._to_ship = _Bell()
        self._to_keep = _Bell()
        self._database_answers = True
        self._disk_told = False
        self.answer_waits_seconds = ANSWER_WAITS_SECONDS
        """How long the end of an answer waits for the database, where no journal takes its record."""

    @property
    def has_room(self) -> bool:
        """Whether a further request may be forwarded: its record and those under way have a place for certain."""
        under_way = self._credit.holds.open + 1
        if not self._journal.has_room:
            return False
        if self._journal.free_bytes >= under_way * FRAME_BYTES_MAX:
            return True
        return self._database_answers and len(self._direct) + under_way <= DIRECT_MAX

    def record(self, settlement: Settlement, hold: Hold) -> bool:
        """Writes it to the journal and closes the hold; the end of the answer may leave.

        False: the journal does not take it, and nothing has changed. Then `recorded` is to be awaited, or `keep`
        called where nobody can wait.
        """
        entry = noted_of(settlement, self._policy_digest)
        if not self._journal.append(entry.body, entry):
            self._count("refused")
            self._to_keep.ring()
            return False
        self._credit.charge(hold, settlement.charge.cost_nanousd)
        self._to_ship.ring()
        self._to_keep.ring()
        self._counted[settlement.draft.outcome._value_].add()
        return True

    def keep(self, settlement: Settlement, hold: Hold) -> "asyncio.Future[None] | None":
        """Takes a record that the journal did not take, for the database alone; None if there is no room even for that.

        The hold is closed in any case.
        """
        if len(self._direct) >= DIRECT_MAX:
            hold.close()
            self._count("lost")
            self._log.error("settlement_lost")
            return None
        self._credit.charge(hold, settlement.charge.cost_nanousd)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._direct.append(_Direct(noted_of(settlement, self._policy_digest), written))
        self._to_ship.ring()
        self._counted[settlement.draft.outcome._value_].add()
        return written

    async def recorded(self, settlement: Settlement, hold: Hold) -> None:
        """Writes it to the database. Raises NotRecordedError when that takes too long; it is tried on all the same."""
        written = self.keep(settlement, hold)
        if written is None:
            raise NotRecordedError
        done, _ = await asyncio.wait({written}, timeout=self.answer_waits_seconds)
        if not done:
            raise NotRecordedError

    async def write(self, settlements: Sequence[Settlement], seconds: float = ANSWER_WAITS_SECONDS) -> None:
        """Writes records that no lease pays for straight to the database. Writing them again changes nothing.

        Raises NotRecordedError; then some of them may be written all the same.
        """
        entries = [noted_of(settlement, self._policy_digest) for settlement in settlements]
        try:
            async with asyncio.timeout(seconds):
                outcome = await self._shipper.ship(UNLEASED, (), entries)
        except (DatabaseError, OSError, TimeoutError) as error:
            self._log.warning("settlement_waits", error=kind_of(error))
            raise NotRecordedError from None
        self._tell(outcome, None)
        for settlement in settlements:
            self._counted[settlement.draft.outcome._value_].add()

    async def run(self) -> None:
        """Ships, keeps the journal in order and adopts, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ship_forever())
            group.create_task(self._keep_forever())
            group.create_task(self._adopt_forever())

    async def finish(self, seconds: float) -> int:
        """Waits as `shipped`, for the last time: says what is left."""
        await self.shipped(seconds)
        if self._direct:
            self._log.error("settlements_lost", count=len(self._direct))
        if self._journal.backlog_records:
            # Nothing is lost: the next process that starts here adopts them.
            self._log.warning("journal_left", count=self._journal.backlog_records)
        return self._left

    async def shipped(self, seconds: float) -> int:
        """Waits until everything is in the database, at most so long; gives how many records are not."""
        ends = time.monotonic() + seconds
        while self._left and time.monotonic() < ends:
            self._to_ship.ring()
            await asyncio.sleep(SHIP_SECONDS)
        return self._left

    @property
    def _left(self) -> int:
        return self._journal.backlog_records + len(self._direct)

    async def _ship_forever(self) -> None:
        failures = 0
        while True:
            # What is recorded after that rings again.
            await self._to_ship.heard()
            await asyncio.sleep(SHIP_SECONDS)
            try:
                while await self._ship_batch():
                    failures = 0
            except (DatabaseError, OSError) as error:
                self._database_answers = False
                if failures == 0:
                    self._log.warning("settlement_waits", error=kind_of(error))
                self._count("ship_failed")
                self._to_ship.ring()
                await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                failures += 1
            else:
                self._database_answers = True

    async def _ship_batch(self) -> bool:
        """Ships the oldest records; whether there may be more. Raises DatabaseError, OSError."""
        batch = self._journal.next_batch(BATCH_RECORDS)
        direct = tuple(self._direct)
        if batch is None and not direct:
            return False
        bodies: Sequence[bytes] = batch.bodies if batch is not None else ()
        entries: Sequence[Noted] = batch.entries if batch is not None else ()
        if direct:
            entries = [*entries, *[record.entry for record in direct]]
        doubts = self._credit.doubts()
        room_doubts = self._room.doubts() if self._room is not None else {}
        outcome = await self._shipper.ship(self._process, bodies, entries)
        _shipped(self._credit, outcome.charged, outcome.uncharged, outcome.remaining, doubts)
        # Most processes meet no key that has a limit.
        if self._room is not None and self._room.leases:
            _shipped(self._room, outcome.spent, outcome.unspent, outcome.room, room_doubts)
        for record in direct:
            self._direct.popleft()
            record.written.set_result(None)
        if batch is not None:
            self._journal.shipped(batch)
        self._tell(outcome, batch)
        return batch is not None

    async def _keep_forever(self) -> None:
        while True:
            await self._to_keep.heard()
            await asyncio.sleep(SYNC_SECONDS)
            kept = await asyncio.to_thread(self._journal.keep)
            for failure in kept.failures:
                self._count(f"{failure}_failed")
            if not kept.failures:
                self._disk_told = False
                continue
            if not self._disk_told:
                self._log.error("journal_disk", error=kept.failures[0], count=len(kept.failures))
            self._disk_told = True
            self._to_keep.ring()
            await asyncio.sleep(FAILED_DISK_SECONDS)

    async def _adopt_forever(self) -> None:
        told = False
        while True:
            adopted = Adopted()
            try:
                await self._adopter.adopt(adopted)
            except (DatabaseError, OSError) as error:
                if not told:
                    self._log.warning("adoption_waits", error=kind_of(error))
                told = True
            else:
                told = False
            if adopted != Adopted():
                self._log.info("journals_adopted", count=adopted.written)
                self._count_all(
                    adopted=adopted.written,
                    torn=adopted.torn,
                    foreign=adopted.foreign,
                    dropped=adopted.dropped,
                    quarantined=adopted.quarantined,
                )
            await asyncio.sleep(ADOPT_SECONDS)

    def _tell(self, outcome: Outcome, batch: Batch | None) -> None:
        unreadable = batch is not None and batch.lost
        if outcome.quarantined or unreadable:
            self._log.error("records_set_aside", count=outcome.quarantined)
        self._count_all(dropped=outcome.dropped, quarantined=outcome.quarantined, unreadable=int(unreadable))

    def _count_all(self, **events: int) -> None:
        for event, times in events.items():
            for _ in range(times):
                self._count(event)

    def _count(self, event: str) -> None:
        self._metrics.count(EVENTS, event=event)


def _shipped(
    leased: Credit,
    charged: dict[uuid.UUID, int],
    uncharged: dict[uuid.UUID, int],
    remaining: dict[uuid.UUID, int],
    doubts: dict[uuid.UUID, int],
) -> None:
    """Tells leases what became of charges. What the database has left is asked for only where there are doubts."""
    for id_, nanousd in charged.items():
        if doubts:
            leased.shipped(id_, nanousd, remaining.get(id_), doubts.get(id_))
        else:
            leased.shipped(id_, nanousd, None, None)
    for id_, nanousd in uncharged.items():
        leased.dropped(id_, nanousd)
