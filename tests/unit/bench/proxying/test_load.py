"""Takes chunked bodies apart: what the byte comparison of streams stands on."""

import random

import pytest

from bench.errors import BenchError
from bench.proxying.load import dechunked


@pytest.mark.parametrize("seed", range(20))
def test_a_body_in_chunks_of_any_size_comes_out_as_it_went_in(seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201
    chance = random.Random(seed)  # noqa: S311
    body = chance.randbytes(chance.randrange(1, 3000))
    chunked, at = b"", 0
    while at < len(body):
        piece = body[at : at + chance.randrange(1, 400)]
        chunked += b"%x\r\n%b\r\n" % (len(piece), piece)
        at += len(piece)
    assert dechunked(chunked + b"0\r\n\r\n") == body


def test_a_body_that_is_not_in_chunks_is_refused() -> None:
    with pytest.raises(BenchError, match="framed"):
        dechunked(b"data: hello\r\n\r\n0\r\n\r\n")


def test_a_changed_byte_is_seen() -> None:
    assert dechunked(b"3\r\nabc\r\n0\r\n\r\n") != b"abd"
