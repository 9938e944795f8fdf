"""Content codings for scripted replies: gzip, deflate and br.

The br stream is valid but stores its bytes uncompressed, which needs no library and is all that a
test of a proxy has to see.
"""

import gzip
import zlib

# RFC 7932: an uncompressed meta-block holds at most 2^24 bytes.
_BLOCK_MAX = 1 << 16


def encode_body(body: bytes, coding: str) -> bytes:
    """`body` in the content coding `gzip`, `deflate` or `br`."""
    if coding == "gzip":
        return gzip.compress(body, mtime=0)
    if coding == "deflate":
        return zlib.compress(body)
    assert coding == "br", coding
    return _stored_brotli(body)


def _stored_brotli(body: bytes) -> bytes:
    """RFC 7932, section 9: window bits 16, uncompressed meta-blocks, an empty last meta-block."""
    blocks = [body[at : at + _BLOCK_MAX] for at in range(0, len(body), _BLOCK_MAX)]
    out = bytearray()
    for number, block in enumerate(blocks):
        # From the lowest bit: [WBITS=0 on the first], ISLAST=0, MNIBBLES=0 (four), MLEN-1,
        # ISUNCOMPRESSED=1.
        bits = (len(block) - 1) << 3 | 1 << 19
        width = 20
        if number == 0:
            bits, width = bits << 1, width + 1
        out += bits.to_bytes((width + 7) // 8, "little")
        out += block
    # ISLAST=1, ISLASTEMPTY=1; an empty body needs the window bits first.
    out += bytes([0b11]) if blocks else bytes([0b110])
    return bytes(out)
