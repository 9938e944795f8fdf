import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crouter.runtime.egress.answer_reader import HEAD_BYTES_MAX, AnswerReader

CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nX-Two: a\r\nx-two: b\r\n\r\n"
    b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nt: 1\r\n\r\n"
)


def read(*pieces: bytes, is_head: bool = False) -> tuple[AnswerReader, bytes]:
    reader = AnswerReader()
    reader.expect(is_head=is_head)
    body = b""
    for piece in pieces:
        reader.feed(piece)
        body += b"".join(reader.pieces)
        reader.pieces.clear()
        if reader.ended or reader.broken:
            break
    return reader, body


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(1, len(CHUNKED) - 1)))
def test_an_answer_split_anywhere_is_the_same_answer(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(CHUNKED)]
    reader, body = read(*(CHUNKED[a:b] for a, b in itertools.pairwise(edges)))
    assert (reader.status, reader.headers, body, reader.ended, reader.reusable, reader.broken) == (
        200,
        (("transfer-encoding", "chunked"), ("X-Two", "a"), ("x-two", "b")),
        b"abcde",
        True,
        True,
        False,
    )


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_ends_with_its_head(status: int) -> None:
    reader, body = read(b"HTTP/1.1 %d X\r\ncontent-length: 5\r\n\r\n" % status)
    assert (reader.ended, reader.reusable, body) == (True, True, b"")


def test_an_answer_to_head_ends_with_its_head_and_is_the_last_of_its_connection() -> None:
    reader, body = read(b"HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\n", is_head=True)
    assert (reader.status, reader.ended, reader.broken, reader.reusable, body) == (200, True, False, False, b"")


def test_interim_answers_are_left_out_with_their_headers() -> None:
    reader, body = read(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nlink: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx",
    )
    assert (reader.status, reader.headers, body, reader.ended) == (200, (("content-length", "1"),), b"x", True)


def test_interim_answers_without_end_are_broken() -> None:
    reader, _ = read(*[b"HTTP/1.1 102 Processing\r\nx: y\r\n\r\n"] * 3000)
    assert reader.broken


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
    ],
)
def test_an_answer_that_says_so_is_the_last_of_its_connection(head: bytes) -> None:
    reader, body = read(head)
    assert (reader.ended, reader.reusable, body) == (True, False, b"x")


@pytest.mark.parametrize("surplus", [b"x", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b"\0"])
def test_bytes_after_an_answer_end_its_connection_and_leave_it_whole(surplus: bytes) -> None:
    reader, body = read(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx" + surplus)
    assert (reader.ended, reader.broken, reader.reusable, body) == (True, False, False, b"x")


def test_without_length_or_chunks_the_close_is_the_end() -> None:
    reader, body = read(b"HTTP/1.1 200 OK\r\n\r\nsome", b" more")
    assert (reader.ended, reader.until_close, body) == (False, True, b"some more")
    reader.close()
    assert (reader.ended, reader.broken, reader.reusable) == (True, False, False)


@pytest.mark.parametrize("cut", range(len(CHUNKED)))
def test_a_cut_answer_is_broken_wherever_it_is_cut(cut: int) -> None:
    reader, _ = read(CHUNKED[:cut])
    assert not reader.ended
    reader.close()
    assert reader.broken


@pytest.mark.parametrize(
    "answer",
    [
        b"garbage\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxx\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx : a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
    ],
)
def test_what_is_not_one_plain_answer_is_broken(answer: bytes) -> None:
    reader, _ = read(answer)
    assert (reader.broken, reader.ended, reader.reusable) == (True, False, False)


@pytest.mark.parametrize(
    "endless",
    [
        (b"HTTP/1.1 200 ", b"O" * 1000),
        (b"HTTP/1.1 200 OK\r\nx: ", b"y" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 200),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"e" * 1000),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"t: y\r\n" * 200),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nt: ", b"y" * 1000),
    ],
)
def test_what_never_ends_is_broken_within_its_bound(endless: tuple[bytes, bytes]) -> None:
    first, more = endless
    reader, _ = read(first, *[more] * (HEAD_BYTES_MAX // len(more) + 2))
    assert reader.broken


def test_a_head_beyond_its_bound_is_broken_in_one_piece_too() -> None:
    reader, _ = read(b"HTTP/1.1 200 OK\r\nx: " + b"y" * HEAD_BYTES_MAX + b"\r\ncontent-length: 1\r\n\r\nz")
    assert reader.broken
    reader, body = read(b"HTTP/1.1 200 OK\r\nx: " + b"y" * (HEAD_BYTES_MAX - 100) + b"\r\ncontent-length: 1\r\n\r\nz")
    assert reader.ended
    assert body == b"z"


def test_header_values_keep_bytes_that_are_no_utf_8() -> None:
    reader, _ = read(b"HTTP/1.1 200 OK\r\nx: \xc3\xa9\xff\r\ncontent-length: 0\r\n\r\n")
    assert reader.headers[0][1].encode("utf-8", "surrogateescape") == b"\xc3\xa9\xff"


def test_a_reader_that_expects_the_next_answer_keeps_nothing_of_the_last() -> None:
    reader, _ = read(b"HTTP/1.1 200 OK\r\nx: canary\r\ncontent-length: 1\r\n\r\nx")
    reader.expect(is_head=False)
    assert (reader.headers, reader.pieces, reader.status) == ((), [], 0)
    reader.feed(b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n")
    assert (reader.status, reader.ended, reader.reusable) == (404, True, True)
