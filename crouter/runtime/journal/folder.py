"""The folder of one process below the root of journals: its name is the process's id, its lock says that it lives.

The kernel lets go of the lock when the process ends, however it ends. A folder whose lock can be taken belongs to
nobody any more; whoever takes it adopts what is in it. Two that try at once: one gets the lock, and who comes later
finds that the folder is gone. Locks are those of one machine: a root is on a local disk.
"""

import fcntl
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.segment import SUFFIX

_LOCK: Final = "lock"
# A folder is made under another name and renamed when it is locked: nobody adopts what is being made.
_BEING_MADE: Final = "making-"


@dataclass(slots=True)
class ProcessFolder:
    """A folder whose lock this process holds."""

    disk: Disk
    path: Path
    process: uuid.UUID
    lock: int

    @classmethod
    def make(cls, disk: Disk, root: Path, process: uuid.UUID) -> "ProcessFolder":
        """A new folder for this process. Raises OSError."""
        disk.make_folder(root)
        unfinished = root / f"{_BEING_MADE}{process}"
        disk.make_folder(unfinished)
        lock = disk.open(unfinished / _LOCK)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            disk.rename(unfinished, root / str(process))
        except OSError:
            os.close(lock)
            raise
        return cls(disk, root / str(process), process, lock)

    @classmethod
    def adopt(cls, disk: Disk, path: Path) -> "ProcessFolder | None":
        """The folder of a dead process; None if it lives, or if somebody else has adopted it. Raises OSError."""
        process = _process(path.name)
        if process is None or not path.is_dir():
            return None
        try:
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between opening and locking another process may have adopted and removed it.
            if os.fstat(lock).st_ino != (path / _LOCK).stat().st_ino:
                raise FileNotFoundError
        except (BlockingIOError, FileNotFoundError):
            os.close(lock)
            return None
        return cls(disk, path, process, lock)

    def segments(self) -> list[Path]:
        """The segments, oldest first. Raises OSError."""
        return sorted(self.path.glob(f"*{SUFFIX}"))

    def leave(self, *, remove: bool) -> bool:
        """Gives the lock up, and removes the folder if asked; says whether it is gone."""
        gone = False
        if remove:
            try:
                # Under the lock: who waits for it finds the file gone.
                self.disk.remove(self.path / _LOCK)
                self.disk.remove_folder(self.path)
                gone = True
            except OSError:
                gone = False
        os.close(self.lock)
        return gone


def all_paths(root: Path) -> Iterator[Path]:
    """Folders of all processes, living or dead; for who only reads. Raises OSError."""
    if root.is_dir():
        yield from (path for path in sorted(root.iterdir()) if _process(path.name) is not None)


def orphan_paths(root: Path, own: uuid.UUID) -> Iterator[Path]:
    """Folders of other processes, living or dead. Raises OSError."""
    if root.is_dir():
        for path in sorted(root.iterdir()):
            process = _process(path.name)
            if process is not None and process != own:
                yield path


def remove_unfinished(disk: Disk, root: Path, older_than: float) -> None:
    """Removes folders whose process died while it made them, before it recorded anything. Raises OSError.

    `older_than` is a time of `time.time`: what is younger may be in the making.
    """
    for path in root.glob(f"{_BEING_MADE}*"):
        if path.stat().st_mtime < older_than:
            disk.remove(path / _LOCK)
            disk.remove_folder(path)


def _process(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name) if len(name) == 36 else None
    except ValueError:
        return None
