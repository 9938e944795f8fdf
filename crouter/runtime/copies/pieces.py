"""The file of a copy in sealed pieces: small enough for a row each, opened only with the key of their copy.

The key is made for one copy and kept sealed in its row. When the copy was taken, or must not be, the key goes: what is
left is noise until the retention rule removes it.
"""

import io
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from crouter.runtime.environment import KEY_BYTES, KeyRing, VersionedKey
from crouter.runtime.names import COPY_PIECE, DATA_COPY
from crouter.runtime.sealing import Place, Sealer
from crouter.runtime.secret import Secret

PIECE_BYTES: Final = 4064
"""What fits into a sealed column of 4096 bytes, beside version, nonce and tag."""
TOGETHER: Final = 256
"""So many pieces are written, and read, at a time."""

Piece = tuple[uuid.UUID, int, bytes]
"""Id, number and sealed content."""


class PiecesLostError(Exception):
    """Pieces of a copy are missing: it cannot be given."""


def new_opener() -> bytes:
    """The key of one copy."""
    return secrets.token_bytes(KEY_BYTES)


def opener_place(copy: uuid.UUID) -> Place:
    """Where the sealed key of a copy belongs."""
    return Place(DATA_COPY, "opener", copy)


class PieceWriter(io.RawIOBase):
    """A file that is only written to, and kept as sealed pieces. `keep` is given them in groups."""

    def __init__(self, opener: bytes, keep: Callable[[list[Piece]], None]) -> None:
        super().__init__()
        self._sealer = _sealer(opener)
        self._keep = keep
        self._pending = bytearray()
        self._pieces: list[Piece] = []
        self._number = 0
        self.size = 0

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, data: Any, /) -> int:
        view = memoryview(data).cast("B")
        self._pending += view
        self.size += len(view)
        while len(self._pending) >= PIECE_BYTES:
            self._seal(PIECE_BYTES)
        return len(view)

    def finish(self) -> None:
        """Keep what is left. Nothing may be written afterwards."""
        if self._pending:
            self._seal(len(self._pending))
        self._hand_over()

    def _seal(self, size: int) -> None:
        piece = uuid.uuid4()
        sealed = self._sealer.seal(bytes(self._pending[:size]), _place(piece))
        del self._pending[:size]
        self._pieces.append((piece, self._number, sealed))
        self._number += 1
        if len(self._pieces) == TOGETHER:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._pieces:
            self._keep(self._pieces)
            self._pieces = []


class PieceReader:
    """Opens the pieces of one copy, which have to come in their order and without a gap."""

    def __init__(self, opener: bytes) -> None:
        self._sealer = _sealer(opener)
        self._next = 0
        self.size = 0

    def opened(self, pieces: Iterable[Piece]) -> Iterator[bytes]:
        """Raises PiecesLostError, SealError."""
        for piece, number, sealed in pieces:
            if number != self._next:
                raise PiecesLostError("a piece of the copy is missing")
            self._next += 1
            plain = self._sealer.open(sealed, _place(piece))
            self.size += len(plain)
            yield plain


def _sealer(opener: bytes) -> Sealer:
    return Sealer(KeyRing((VersionedKey(1, Secret(opener)),)))


def _place(piece: uuid.UUID) -> Place:
    return Place(COPY_PIECE, "part", piece)
