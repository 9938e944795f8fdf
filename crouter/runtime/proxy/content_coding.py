"""Content codings: which ones we can read, and a bounded reader for the copy that is metered.

The client always receives the upstream's bytes as they came. Only a copy is decoded, piece by piece, so that a
small body that unpacks to gigabytes costs neither memory nor unlimited time. Brotli and Zstandard are not
read: `readable_accept_encoding` keeps the upstream from choosing them.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

READABLE: Final = frozenset({"gzip", "x-gzip", "deflate", "identity"})
PIECE_BYTES: Final = 64 * 1024
DECODED_BYTES_MAX: Final = 512 * 1024 * 1024

_GZIP_WBITS: Final = 31
_ZLIB_WBITS: Final = 15
_RAW_WBITS: Final = -15


class Reading(Enum):
    """How far the copy can be trusted."""

    READABLE = "readable"
    BROKEN = "broken"  # the coded bytes are not what the coding promises
    TOO_LARGE = "too_large"  # unpacks to more than the bound


class Decoder(Protocol):
    """Decodes the copy. After a problem it yields nothing more and says so in `reading`; it never raises."""

    @property
    def reading(self) -> Reading: ...

    def pieces(self, data: bytes) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The answer is in a coding we cannot read: relay it, meter nothing, raise an alarm."""


class IdentityDecoder:
    """Bytes that are already plain."""

    __slots__ = ()
    reading = Reading.READABLE

    def pieces(self, data: bytes) -> Iterator[bytes]:
        yield data


PLAIN: Final = IdentityDecoder()
"""The one decoder of bytes that need none; it holds nothing."""


class InflateDecoder:
    """gzip (RFC 1952, several members allowed) and deflate (RFC 9110 8.4.1.2, with or without zlib header)."""

    __slots__ = ("_decoded_bytes_left", "_inflate", "_wbits", "reading")

    def __init__(self, wbits: int | None, decoded_bytes_max: int = DECODED_BYTES_MAX) -> None:
        self._wbits = wbits
        self._inflate = None if wbits is None else zlib.decompressobj(wbits)
        self._decoded_bytes_left = decoded_bytes_max
        self.reading = Reading.READABLE

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Decoded pieces of at most `PIECE_BYTES`."""
        # A full piece may leave decoded bytes inside zlib with no input left over: ask again.
        more = bool(data)
        while more and self.reading is Reading.READABLE:
            if self._inflate is None and self._wbits in (_ZLIB_WBITS, _RAW_WBITS):
                # Only gzip has further members; a deflate stream that ended with the last piece has ended.
                self.reading = Reading.BROKEN
                return
            inflate = self._inflate_for(data)
            try:
                piece = inflate.decompress(data, PIECE_BYTES)
            except zlib.error:
                self.reading = Reading.BROKEN
                return
            self._decoded_bytes_left -= len(piece)
            if self._decoded_bytes_left < 0:
                self.reading = Reading.TOO_LARGE
                return
            if piece:
                yield piece
            if inflate.eof:
                data = self._after_member(inflate.unused_data)
                more = bool(data)
            else:
                data = inflate.unconsumed_tail
                more = bool(data) or len(piece) == PIECE_BYTES

    def _after_member(self, rest: bytes) -> bytes:
        self._inflate = None
        if rest and self._wbits != _GZIP_WBITS:
            self.reading = Reading.BROKEN
        return rest

    def _inflate_for(self, data: bytes) -> "zlib._Decompress":
        if self._inflate is None:
            if self._wbits is None:
                # Some servers that say `deflate` leave the zlib header out. With it, the low four bits
                # of the first byte are 8; raw data would need a stored block with set padding for that.
                self._wbits = _ZLIB_WBITS if data[0] & 0x0F == 0x08 else _RAW_WBITS
            self._inflate = zlib.decompressobj(self._wbits)
        return self._inflate


def decoder_for(content_encoding: str | None) -> Decoder | Unreadable:
    """The decoder for a `content-encoding` header; several codings in a row are not read."""
    if content_encoding is None:
        return PLAIN
    coding = content_encoding.strip().lower()
    if coding in ("identity", ""):
        return PLAIN
    if coding in ("gzip", "x-gzip"):
        return InflateDecoder(_GZIP_WBITS)
    if coding == "deflate":
        return InflateDecoder(None)
    return Unreadable()


def readable_accept_encoding(value: str | None) -> str:
    """The client's `accept-encoding` reduced to codings we can read, its weights and order kept.

    Unchanged to the byte when nothing has to go. Absent becomes `identity`: client libraries would
    otherwise add their own list, and the client would receive a coding it did not ask for.
    `*` is spelt out as the readable codings the client did not name.
    """
    if value is None:
        return "identity"
    usual = _USUAL.get(value)
    return _readable(value) if usual is None else usual


def _readable(value: str) -> str:
    members = [member.strip() for member in value.split(",") if member.strip()]
    named = {_coding(member) for member in members}
    if named <= READABLE and named:
        return value
    kept: list[str] = []
    for member in members:
        coding = _coding(member)
        if coding == "*":
            weight = member[1:].strip()
            kept += [other + weight for other in ("gzip", "deflate") if other not in named]
        elif coding in READABLE:
            kept.append(member)
    return ", ".join(kept) or "identity"


def _coding(member: str) -> str:
    return member.partition(";")[0].strip().lower()


# What client libraries and tools send unless they are told otherwise.
_USUAL: Final = {
    value: _readable(value)
    for value in ("identity", "gzip", "gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd", "gzip, br", "*")
}
