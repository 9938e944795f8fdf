"""Where records go that the database refuses: a file beside the journals, read by people only.

A record here is a customer not charged for what was used: each is an alarm. The file has the form of a segment's
records, from its first byte on.
"""

import os
import uuid
from pathlib import Path
from typing import Final

from crouter.runtime.journal.disk import Disk
from crouter.runtime.journal.frames import framed, read_frames

FOLDER: Final = "quarantine"


def set_aside(disk: Disk, root: Path, process: uuid.UUID, body: bytes) -> None:
    """Adds a record that came from `process`. Raises OSError; then it is not there."""
    folder = root / FOLDER
    disk.make_folder(folder)
    descriptor = disk.open(folder / str(process))
    try:
        # Adopting the same journal twice adds a record twice: its id tells.
        at = os.fstat(descriptor).st_size
        disk.write(descriptor, framed(body, at), at)
        disk.sync(descriptor)
    finally:
        disk.close(descriptor)


def quarantined(root: Path) -> tuple[bytes, ...]:
    """The bodies of all records that were set aside. Raises OSError."""
    folder = root / FOLDER
    if not folder.is_dir():
        return ()
    return tuple(body for path in sorted(folder.iterdir()) for body in read_frames(path.read_bytes(), 0).bodies)
