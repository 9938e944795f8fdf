"""How records stand in a segment: length, checksum, body, one after the other. Bytes only, no files.

The checksum also covers where the record stands, so that an old record can never pass for one at another place. After
the last record come zeros. A record that was not written whole fails its checksum: it and what follows is torn.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

FRAME: Final = struct.Struct("<II")
BODY_BYTES_MAX: Final = 2040
FRAME_BYTES_MAX: Final = FRAME.size + BODY_BYTES_MAX

_pack = FRAME.pack
_crc32 = zlib.crc32


def framed(body: bytes, at: int) -> bytes:
    """The bytes of one record that will stand at offset `at`."""
    return _pack(len(body), _crc32(body, at)) + body


@dataclass(frozen=True, slots=True)
class Frames:
    """Records found in a row; `end` is the offset behind the last one."""

    bodies: tuple[bytes, ...]
    end: int
    torn: bool
    """Whether something stands at `end` that is no whole record."""


def read_frames(data: bytes, base: int, records_max: int | None = None) -> Frames:
    """The records in `data`, which was read from offset `base` on. At most `records_max` of them."""
    bodies: list[bytes] = []
    position = 0
    while records_max is None or len(bodies) < records_max:
        if position + FRAME.size > len(data):
            return Frames(tuple(bodies), base + position, any(data[position:]))
        length, checksum = FRAME.unpack_from(data, position)
        if length == 0 and checksum == 0:
            break
        body = data[position + FRAME.size : position + FRAME.size + length]
        if not 0 < length <= BODY_BYTES_MAX or len(body) != length or _crc32(body, base + position) != checksum:
            return Frames(tuple(bodies), base + position, True)
        bodies.append(body)
        position += FRAME.size + length
    return Frames(tuple(bodies), base + position, False)
