"""Decodes a copy, in bounds, whatever comes."""

import gzip
import itertools
import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.runtime.proxy.content_coding import (
    PIECE_BYTES,
    Decoder,
    IdentityDecoder,
    InflateDecoder,
    Reading,
    Unreadable,
    decoder_for,
    readable_accept_encoding,
)


def raw_deflate(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "identity": bytes,
}


def readable(coding: str | None) -> Decoder:
    decoder = decoder_for(coding)
    assert not isinstance(decoder, Unreadable)
    return decoder


def decoded(decoder: Decoder, chunks: list[bytes]) -> bytes:
    return b"".join(piece for chunk in chunks for piece in decoder.pieces(chunk))


@pytest.mark.parametrize("coding", sorted(CODINGS))
@given(data=st.binary(max_size=2000), cuts=st.lists(st.integers(0, 2200), max_size=5))
def test_decoding_does_not_depend_on_the_cuts(coding: str, data: bytes, cuts: list[int]) -> None:
    coded = CODINGS[coding](data)
    places = [0, *sorted(cuts), len(coded)]
    chunks = [coded[a:b] for a, b in itertools.pairwise(places)]
    decoder = readable(coding)
    assert decoded(decoder, chunks) == data
    assert decoder.reading is Reading.READABLE


@pytest.mark.parametrize("size", [PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "Deflate"])
def test_nothing_stays_inside_the_decoder_at_the_end(coding: str, size: int) -> None:
    incompressible = random.Random(size).randbytes(size)  # noqa: S311 - repeatable, not secret
    for data in (b"\0" * size, incompressible):
        coded = CODINGS[coding](data)
        assert decoded(readable(coding), [coded]) == data
        bytewise = [coded[i : i + 1] for i in range(len(coded))]
        assert decoded(readable(coding), bytewise) == data


def test_flushed_pieces_come_out_at_once() -> None:
    coder = zlib.compressobj(wbits=31)
    decoder = readable("gzip")
    for event in (b"event: a\n\n", b"event: b\n\n"):
        assert decoded(decoder, [coder.compress(event) + coder.flush(zlib.Z_SYNC_FLUSH)]) == event


def test_a_flushed_piece_of_many_pieces_comes_out_at_once() -> None:
    data = b"\0" * (40 * PIECE_BYTES)
    coder = zlib.compressobj(wbits=31)
    flushed = coder.compress(data) + coder.flush(zlib.Z_SYNC_FLUSH)
    assert decoded(readable("gzip"), [flushed]) == data
    assert decoded(readable("gzip"), [flushed[i : i + 1] for i in range(len(flushed))]) == data


def test_several_gzip_members_are_one_body() -> None:
    assert decoded(readable("gzip"), [gzip.compress(b"one") + gzip.compress(b"two")]) == b"onetwo"


@pytest.mark.parametrize("coding", [None, "", "identity", " Identity "])
def test_no_coding_is_identity(coding: str | None) -> None:
    assert isinstance(decoder_for(coding), IdentityDecoder)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "compress", "aes128gcm"])
def test_a_coding_we_cannot_read_is_a_decision(coding: str) -> None:
    assert decoder_for(coding) == Unreadable()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_broken_bytes_stop_the_reading_and_raise_nothing(coding: str) -> None:
    decoder = readable(coding)
    assert decoded(decoder, [b"\x1f\x8b", b"not a coding at all", b"more"]) == b""
    assert decoder.reading is Reading.BROKEN


def test_bytes_after_a_deflate_body_are_broken() -> None:
    decoder = readable("deflate")
    assert decoded(decoder, [zlib.compress(b"x") + b"more"]) == b"x"
    assert decoder.reading is Reading.BROKEN


def test_a_decompression_bomb_is_read_in_small_pieces_up_to_the_bound() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    decoder = InflateDecoder(31, decoded_bytes_max=1_000_000)
    sizes = [len(piece) for piece in decoder.pieces(bomb)]
    assert max(sizes) <= PIECE_BYTES
    assert sum(sizes) <= 1_000_000
    assert decoder.reading is Reading.TOO_LARGE
    assert list(decoder.pieces(bomb)) == []


@pytest.mark.parametrize(
    ("sent", "leaves"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZIP;q=0.8 ,identity", "GZIP;q=0.8 ,identity"),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip;q=0.8, deflate;q=0.1"),
        ("*", "gzip, deflate"),
        ("zstd, br", "identity"),
        ("identity;q=0, br", "identity;q=0"),
    ],
)
def test_readable_accept_encoding(sent: str | None, leaves: str) -> None:
    assert readable_accept_encoding(sent) == leaves


@pytest.mark.parametrize("wbits", [15, -15])
def test_bytes_behind_the_end_of_deflate_are_broken_wherever_the_cut_is(wbits: int) -> None:
    packer = zlib.compressobj(wbits=wbits)
    packed = packer.compress(b"hello") + packer.flush()
    for pieces in ([packed + packed], [packed, packed]):
        decoder = decoder_for("deflate")
        assert isinstance(decoder, InflateDecoder)
        assert b"".join(part for piece in pieces for part in decoder.pieces(piece)) == b"hello"
        assert decoder.reading is Reading.BROKEN
