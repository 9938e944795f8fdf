"""Where records go that the database refuses: a file beside the journals, read by people only.

A record here is a customer not charged for what was used: each is an alarm. A file has the form of a segment's
records, from its first byte on. It is changed under its lock; whoever waited for the lock looks whether the file is
still the one that has the name.
"""

import fcntl
import hashlib
import os
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.entry import Entry, UnreadableEntryError, read_entry
from crouter.runtime.journal.frames import framed, read_frames

FOLDER: Final = "quarantine"
_BEING_WRITTEN: Final = ".new"
_NAME_CHARS: Final = 16


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A record that was set aside. `name` is made of its bytes; `entry` is None where they are no entry we can read."""

    name: str
    process: str
    body: bytes
    entry: Entry | None


def set_aside(disk: Disk, root: Path, process: uuid.UUID, body: bytes) -> None:
    """Adds a record that came from `process`. Raises OSError; then it is not there."""
    folder = root / FOLDER
    disk.make_folder(folder)
    with _locked(disk, folder / str(process)) as descriptor:
        # Adopting the same journal twice adds a record twice: its id tells.
        at = os.fstat(descriptor).st_size
        disk.write(descriptor, framed(body, at), at)
        disk.sync(descriptor)


def quarantined(root: Path) -> tuple[bytes, ...]:
    """The bodies of all records that were set aside. Raises OSError."""
    return tuple(record.body for record in quarantined_records(root))


def quarantined_records(root: Path) -> tuple[Quarantined, ...]:
    """All records that were set aside, by process. A record that was set aside twice stands here once.

    Raises OSError.
    """
    found: dict[str, Quarantined] = {}
    for path in _files(root):
        for body in read_frames(path.read_bytes(), 0).bodies:
            name = _name(body)
            found.setdefault(name, Quarantined(name, path.name, body, _entry(body)))
    return tuple(found.values())


def forget(disk: Disk, root: Path, names: Collection[str]) -> int:
    """Takes the records of these names out, for good; gives how many.

    Raises OSError; then some of them may still be there.
    """
    forgotten: set[str] = set()
    for path in _files(root):
        with _locked(disk, path):
            bodies = read_frames(path.read_bytes(), 0).bodies
            kept = [body for body in bodies if _name(body) not in names]
            forgotten |= {_name(body) for body in bodies} & set(names)
            if len(kept) == len(bodies):
                continue
            if kept:
                _replace(disk, path, kept)
            else:
                disk.remove(path)
    return len(forgotten)


def _replace(disk: Disk, path: Path, bodies: list[bytes]) -> None:
    new = path.with_name(path.name + _BEING_WRITTEN)
    disk.remove(new)
    descriptor = disk.open(new)
    try:
        at = 0
        for body in bodies:
            frame = framed(body, at)
            disk.write(descriptor, frame, at)
            at += len(frame)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)
    disk.rename(new, path)


@contextmanager
def _locked(disk: Disk, path: Path) -> Iterator[int]:
    """The descriptor of a file that nobody else changes until the block ends. Raises OSError."""
    while True:
        descriptor = disk.open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists() and os.fstat(descriptor).st_ino == path.stat().st_ino:
                yield descriptor
                return
        finally:
            disk.close(descriptor)


def _files(root: Path) -> list[Path]:
    folder = root / FOLDER
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.endswith(_BEING_WRITTEN))


def _name(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:_NAME_CHARS]


def _entry(body: bytes) -> Entry | None:
    try:
        return read_entry(body)
    except UnreadableEntryError:
        return None
