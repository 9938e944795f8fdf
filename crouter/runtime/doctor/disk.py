"""Whether the journal has a place: a local disk that outlives the process, writable, with room for an outage."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from crouter.runtime.doctor.check import Check, Finding, Ground

# What a process takes, and what it may take while the database is away; see docs/operator.md.
PROCESS_BYTES: Final = (16 + 256) * 1024 * 1024
MOUNTS: Final = Path("/proc/self/mounts")
_REMOTE: Final = ("nfs", "cifs", "smb", "fuse.", "9p", "ceph", "glusterfs", "afs", "lustre")
_MEMORY: Final = ("tmpfs", "ramfs")


async def _journal(ground: Ground) -> AsyncIterator[Finding]:
    folder = _folder(ground)
    if folder is None:
        yield Finding("skipped", "no journal folder is set")
        return
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="doctor-"):
            pass
    except OSError:
        do = "make the folder, and give it to the user that the service runs as"
        yield Finding("failed", "CROUTER_JOURNAL: no file can be made in the folder", do)
        return
    kind = filesystem(folder.resolve(), MOUNTS.read_text(encoding="utf-8") if MOUNTS.exists() else "")
    if kind.startswith(_REMOTE):
        yield Finding("failed", f"CROUTER_JOURNAL: lies on another machine ({kind})", "use a disk of this machine")
    elif kind in _MEMORY:
        yield Finding("failed", f"CROUTER_JOURNAL: lies in memory ({kind}) and ends with it", "use a disk")
    else:
        yield Finding("ok", "the journal's folder is on a disk of this machine, and can be written")


async def _space(ground: Ground) -> AsyncIterator[Finding]:
    folder = _folder(ground)
    if folder is None or not folder.is_dir():
        yield Finding("skipped", "no journal folder is there")
        return
    processes = ground.settings.processes if ground.settings is not None and ground.settings.processes else 1
    yield enough(shutil.disk_usage(folder).free, processes * PROCESS_BYTES)


def enough(free: int, needed: int) -> Finding:
    """Judges room in bytes against what an outage of the database may take."""
    found = f"{free >> 20} MiB are free where the journal is, and {needed >> 20} may be needed"
    if free < needed:
        return Finding("failed", found, "make room, or the service refuses requests while the database is away")
    return Finding("warning", found, "make room soon") if free < 2 * needed else Finding("ok", found)


def filesystem(folder: Path, mounts: str) -> str:
    """The kind of filesystem that holds a folder, by the lines of /proc/self/mounts; empty if nobody says."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) > 2:
            place = Path(fields[1].replace("\\040", " "))
            depth = len(place.parts)
            if folder.is_relative_to(place) and depth >= best:
                best, kind = depth, fields[2]
    return kind


def _folder(ground: Ground) -> Path | None:
    told = ground.text("CROUTER_JOURNAL")
    return Path(told) if told else None


CHECKS: Final = (
    Check("journal_folder", "whether the journal is on a local disk", _journal),
    Check("free_space", "whether an outage of the database fits on the disk", _space),
)
