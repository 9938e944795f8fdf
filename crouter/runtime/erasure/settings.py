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


def read_tombstones(reader: Reader, *, is_required: bool) -> TombstoneSettings | None:
    """None where nothing is set and nothing has to be: only development may do without."""
    if not is_required and not reader.is_set(PATH):
        return None
    hint = "a file outside the backups of the database, such as /var/lib/crouter-tombstones/tombstones"
    path = reader.required(PATH, hint)
    return TombstoneSettings(Path(path), reader.key_ring(KEYS))
