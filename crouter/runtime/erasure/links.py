"""Addresses of the page that shows one deletion: whoever has one can look at it, and take the deletion back in time.

Nobody can sign in once the deletion was asked for, so the address itself is what lets its owner in. It holds the id of
the deletion, which names nobody, and a keyed hash of it.
"""

import hmac
import re
import uuid
from typing import Final

from crouter.runtime.environment import KeyRing
from crouter.runtime.sealing import KeyedHasher

PATH: Final = "/account/deletion/"
PATTERN: Final = re.compile(re.escape(PATH) + r"[0-9a-f]{32}[0-9a-f]{64}")


class DeletionLinks:
    """Makes and reads them with the keys by which API keys are found, under a name of their own."""

    def __init__(self, ring: KeyRing) -> None:
        self._hasher = KeyedHasher(ring)

    def page(self, deletion: uuid.UUID) -> str:
        """The path of the page."""
        return f"{PATH}{deletion.hex}{self._hasher.newest_digest(_text(deletion)).hex()}"

    def read(self, path: str) -> uuid.UUID | None:
        """The deletion that a path is about; None for one that we did not make."""
        if not PATTERN.fullmatch(path):
            return None
        told = path.removeprefix(PATH)
        deletion = uuid.UUID(told[:32])
        known = [found.digest.hex() for found in self._hasher.all(_text(deletion))]
        return deletion if any(hmac.compare_digest(digest, told[32:]) for digest in known) else None


def _text(deletion: uuid.UUID) -> str:
    return f"crouter deletion {deletion}"
