"""The journal of this process: appended by the requests, read by the one who ships, kept in order by a thread.

`write(2)` has returned before `append` does: a process that is killed loses nothing. The medium is waited for by
`keep`, for many records at once: a machine that loses power loses what was appended since, about `SYNC_SECONDS`; with
`sync_always` each record is waited for, and nothing is lost. Segments are set aside on the disk before they are used,
and one more than is used, so that a full disk is met before a request is forwarded.
"""

import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.folder import ProcessFolder, remove_unfinished
from crouter.runtime.journal.frames import BODY_BYTES_MAX, FRAME
from crouter.runtime.journal.noted import Noted
from crouter.runtime.journal.segment import HEAD_BYTES, SEGMENT_BYTES, SUFFIX, Segment

SYNC_SECONDS: Final = 0.05
MARK_SECONDS: Final = 1.0
BACKLOG_BYTES_MAX: Final = 256 * 1024 * 1024
BACKLOG_RECORDS_MAX: Final = 500_000
UNFINISHED_SECONDS: Final = 3600.0
READ_BYTES: Final = 1024 * 1024
RECENT_RECORDS_MAX: Final = 8000
"""How many records that are not shipped yet are kept in memory as well."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records to ship, and where they end: either bodies, read from the disk, or entries that were kept in memory."""

    bodies: tuple[bytes, ...]
    segment: Segment
    end: int
    entries: Sequence[Noted] = ()
    lost: bool = False
    """Whether behind them stands something unreadable, which is passed over."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one round of `keep` met: names of operations that failed."""

    failures: tuple[str, ...]


class Journal:
    """Made at the start, in a folder of its own below `root`. Methods are called in the event loop, but for `keep`."""

    def __init__(
        self,
        root: Path,
        process: uuid.UUID,
        disk: Disk | None = None,
        *,
        sync_always: bool = False,
        segment_bytes: int = SEGMENT_BYTES,
        backlog_bytes_max: int = BACKLOG_BYTES_MAX,
        recent_records_max: int = RECENT_RECORDS_MAX,
    ) -> None:
        """Raises OSError when the folder cannot be used."""
        self._disk = disk or Disk()
        self.folder = ProcessFolder.make(self._disk, root, process)
        remove_unfinished(self._disk, root, time.time() - UNFINISHED_SECONDS)
        self._sync_always = sync_always
        self._segment_bytes = segment_bytes
        self._backlog_bytes_max = backlog_bytes_max
        self._recent_records_max = recent_records_max
        self._number = 0
        self._current = self._new_segment()
        self._spare: Segment | None = self._new_segment()
        self._waiting: deque[Segment] = deque([self._current])
        self._finished: list[Segment] = []
        self.backlog_records = 0
        self._backlog_bytes = 0
        # How many records had been appended at some moments: what is told of an age is true to `MARK_SECONDS`.
        self._appended = 0
        self._marks: deque[tuple[int, float]] = deque()
        self._mark_again_at = 0.0

    @property
    def oldest_seconds(self) -> float:
        """The age of the oldest record that is not shipped; 0 without any."""
        return time.monotonic() - self._marks[0][1] if self.backlog_records and self._marks else 0.0

    @property
    def free_bytes(self) -> int:
        """What can be appended for certain: the space that is set aside."""
        spare = self._spare
        return self._current.free + (spare.free if spare is not None else 0)

    @property
    def has_room(self) -> bool:
        """Whether the backlog is below its bounds."""
        return self._backlog_bytes < self._backlog_bytes_max and self.backlog_records < BACKLOG_RECORDS_MAX

    def append(self, body: bytes, noted: Noted | None = None) -> bool:
        """Writes a record; False when no segment takes it. One that was refused may still be read after a crash.

        `noted` is the entry of this body, so that it need not be read again.
        """
        if len(body) > BODY_BYTES_MAX:
            return False
        if self.backlog_records >= self._recent_records_max:
            noted = None
        try:
            taken = self._current.append(body, noted)
            if taken and self._sync_always:
                self._current.sync()
        except OSError:
            taken = False
        if not taken and not self._append_to_spare(body, noted):
            return False
        now = time.monotonic()
        if now >= self._mark_again_at:
            self._marks.append((self._appended, now))
            self._mark_again_at = now + MARK_SECONDS
        self._appended += 1
        self.backlog_records += 1
        self._backlog_bytes += FRAME.size + len(body)
        return True

    def next_batch(self, records_max: int) -> Batch | None:
        """The oldest records that are not shipped; None without any. Raises OSError."""
        while self._waiting:
            segment = self._waiting[0]
            if segment.shipped < segment.end:
                if segment.shipped == segment.forgotten_end:
                    return _recent(segment, records_max)
                frames = segment.read(segment.shipped, records_max, READ_BYTES)
                # A read ends anywhere in a record; only one that found nothing met something unreadable.
                if frames.bodies:
                    return Batch(frames.bodies, segment, frames.end)
                return Batch((), segment, segment.forgotten_end, lost=True)
            if segment is self._current:
                return None
            self._finished.append(self._waiting.popleft())
        return None

    def shipped(self, batch: Batch) -> None:
        """The records of a batch are in the database, or set aside."""
        count = len(batch.bodies) + len(batch.entries)
        size = batch.end - batch.segment.shipped
        if batch.lost:
            count = min(self.backlog_records, batch.segment.records - len(batch.segment.recent))
        if batch.entries:
            batch.segment.forget(count, batch.end)
        batch.segment.records -= count
        self.backlog_records -= count
        self._backlog_bytes -= size
        shipped = self._appended - self.backlog_records
        while len(self._marks) > 1 and self._marks[1][0] <= shipped:
            self._marks.popleft()
        if not self.backlog_records:
            self._marks.clear()
            self._mark_again_at = 0.0
        try:
            batch.segment.mark_shipped(batch.end)
        except OSError:
            # Without the mark they are shipped once more after a crash, which changes nothing.
            batch.segment.usable = False

    def keep(self) -> Kept:
        """Syncs, sets a segment aside, removes what is shipped. Called in a thread, once at a time."""
        failures: list[str] = []
        for segment in tuple(self._waiting):
            try:
                segment.sync()
            except OSError:
                failures.append("sync")
        if self._spare is None or not self._spare.usable:
            try:
                self._spare = self._new_segment()
            except OSError:
                failures.append("create")
        while self._finished:
            try:
                self._finished.pop().close(remove=True)
            except OSError:
                failures.append("remove")
        return Kept(tuple(failures))

    def close(self) -> bool:
        """Ends the use of the folder. Removes it when everything is shipped, and says whether it did."""
        empty = self.backlog_records == 0
        segments = {*self._waiting, *self._finished, self._current, *((self._spare,) if self._spare else ())}
        gone = True
        for segment in segments:
            try:
                segment.close(remove=empty)
            except OSError:
                gone = False
        return self.folder.leave(remove=empty and gone)

    def _append_to_spare(self, body: bytes, noted: Noted | None) -> bool:
        spare = self._spare
        if spare is None:
            return False
        self._spare = None
        self._current = spare
        self._waiting.append(spare)
        try:
            taken = spare.append(body, noted)
            if taken and self._sync_always:
                spare.sync()
        except OSError:
            return False
        return taken

    def _new_segment(self) -> Segment:
        self._number += 1
        path = self.folder.path / f"{self._number:08}{SUFFIX}"
        assert self._segment_bytes > HEAD_BYTES
        return Segment(self._disk, path, self._segment_bytes)


def _recent(segment: Segment, records_max: int) -> Batch:
    """The first records of those that are kept."""
    entries = segment.recent[:records_max]
    if len(entries) == len(segment.recent):
        return Batch((), segment, segment.end, entries)
    size = sum([FRAME.size + len(entry.body) for entry in entries])
    return Batch((), segment, segment.recent_from + size, entries)
