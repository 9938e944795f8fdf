"""What an operator sets for deletions: where tombstones are kept, and the key that they are hashed with."""

from dataclasses import dataclass
from pathlib import Path

from crouter.runtime.environment import KeyRing, Reader

PATH = "CROUTER_TOMBSTONES"
KEYS = "CROUTER_TOMBSTONE_KEYS"


@dataclass(frozen=True, slots=True)
class TombstoneSettings:
    """`path` is a file on a disk that is not restored together with the database."""

    path: Path
    keys: KeyRing


def read_tombstones(reader: Reader, others: tuple[KeyRing, ...]) -> TombstoneSettings | None:
    """None where nothing is set. `others` are rings of other purposes. Problems are left with the reader."""
    if not reader.is_set(PATH):
        return None
    ring = reader.key_ring(KEYS)
    if {key.key for key in ring.keys} & {key.key for other in others for key in other.keys}:
        reader.problems.append(f"{KEYS}: holds a key of another purpose; each purpose has its own")
    return TombstoneSettings(Path(reader.text(PATH)), ring)


def require_tombstones(reader: Reader) -> None:
    """Leaves a problem with the reader where nothing is set."""
    hint = "a file outside the backups of the database, such as /var/lib/crouter-tombstones/tombstones"
    reader.required(PATH, hint)
