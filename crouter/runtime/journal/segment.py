"""One file of a journal: a head that says how much is shipped, then records. Its size is fixed when it is made."""

import struct
import zlib
from pathlib import Path
from typing import Final

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.frames import Frames, framed, read_frames
from crouter.runtime.journal.noted import Noted

SEGMENT_BYTES: Final = 8 * 1024 * 1024
SUFFIX: Final = ".segment"
_MAGIC: Final = b"crouter2"
_EARLIER_MAGIC: Final = b"crouter1"
_MARK: Final = struct.Struct("<QI")
_MARK_AT: Final = len(_MAGIC)
HEAD_BYTES: Final = 64


class ForeignSegmentError(Exception):
    """A file that is no segment of this version: left alone, for a process that knows it."""


class Segment:
    """A segment that this process writes. `end` is behind the last record.

    `recent` are the last records once more, without a gap up to the end: whoever ships them need not read them again.
    The first of them stands at `recent_from`.
    """

    __slots__ = (
        "_descriptor",
        "_disk",
        "_size",
        "end",
        "path",
        "recent",
        "recent_from",
        "records",
        "shipped",
        "synced",
        "usable",
    )

    def __init__(self, disk: Disk, path: Path, size: int) -> None:
        """Makes the file. Raises OSError, and then there is none."""
        self._disk = disk
        self.path = path
        self._size = size
        self._descriptor = disk.create(path, size)
        try:
            disk.write(self._descriptor, _MAGIC + _mark(HEAD_BYTES), 0)
        except OSError:
            disk.close(self._descriptor)
            disk.remove(path)
            raise
        self.end = self.shipped = HEAD_BYTES
        self.synced = 0
        self.records = 0
        self.usable = True
        self.recent: list[Noted] = []
        self.recent_from = self.end

    @property
    def free(self) -> int:
        """Bytes that can still be written; none after an operation has failed."""
        return self._size - self.end if self.usable else 0

    def append(self, body: bytes, noted: Noted | None) -> bool:
        """Writes a record, and keeps it if it is given as an entry, too; False if it does not fit.

        Raises OSError; the segment takes no further record then.
        """
        at = self.end
        frame = framed(body, at)
        behind = at + len(frame)
        if behind > self._size or not self.usable:
            return False
        try:
            self._disk.write(self._descriptor, frame, at)
        except OSError:
            self.usable = False
            raise
        self.end = behind
        self.records += 1
        if noted is None:
            self.recent.clear()
        else:
            if not self.recent:
                self.recent_from = at
            self.recent.append(noted)
        return True

    @property
    def forgotten_end(self) -> int:
        """The offset behind the last record that has to be read from the disk."""
        return self.recent_from if self.recent else self.end

    def read(self, at: int, records_max: int, bytes_max: int) -> Frames:
        """Records from an offset on, up to those that are kept. Raises OSError."""
        data = self._disk.read(self._descriptor, min(self.forgotten_end - at, bytes_max), at)
        return read_frames(data, at, records_max)

    def forget(self, records: int, end: int) -> None:
        """Keeps the first so many no longer, which end at an offset; nothing if they are not kept any more."""
        if self.recent and self.recent_from < end:
            del self.recent[:records]
            self.recent_from = end

    def mark_shipped(self, at: int) -> None:
        """Notes that all records before an offset are in the database. Raises OSError."""
        self.shipped = at
        self._disk.write(self._descriptor, _mark(at), _MARK_AT)

    def sync(self) -> None:
        """Waits for the medium. Raises OSError; what the kernel then still has is not to be trusted with more."""
        end = self.end
        if self.synced < end:
            try:
                self._disk.sync(self._descriptor)
            except OSError:
                self.usable = False
                raise
            self.synced = end

    def close(self, *, remove: bool) -> None:
        """Gives the file up, and removes it. Raises OSError."""
        self._disk.close(self._descriptor)
        if remove:
            self._disk.remove(self.path)


def read_unshipped(disk: Disk, path: Path) -> Frames:
    """The records of a dead process's segment that may not be in the database yet.

    Raises ForeignSegmentError, OSError. A file without a head has no records: its process died while making it.
    """
    descriptor = disk.open(path)
    try:
        data = bytearray()
        while piece := disk.read(descriptor, SEGMENT_BYTES, len(data)):
            data += piece
    finally:
        disk.close(descriptor)
    head = bytes(data[:HEAD_BYTES])
    if not any(head):
        return Frames((), 0, False)
    if not head.startswith((_MAGIC, _EARLIER_MAGIC)):
        raise ForeignSegmentError
    shipped = _shipped(head)
    return read_frames(bytes(data[shipped:]), shipped)


def _mark(at: int) -> bytes:
    return _MARK.pack(at, zlib.crc32(at.to_bytes(8, "little")))


def _shipped(head: bytes) -> int:
    at, checksum = _MARK.unpack_from(head, _MARK_AT)
    # A mark that was not written whole: everything is shipped once more, which changes nothing.
    return at if checksum == zlib.crc32(at.to_bytes(8, "little")) and at >= HEAD_BYTES else HEAD_BYTES
