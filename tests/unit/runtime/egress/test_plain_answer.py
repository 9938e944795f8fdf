"""Which answers need no parser, compared with the parser's own reading."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crouter.runtime.egress.answer_reader import AnswerReader
from crouter.runtime.egress.plain_answer import CHUNKED, PlainHead, plain_head

BODY = b'{"type":"message"}'
LINES = ("Content-Type: application/json", f"Content-Length: {len(BODY)}", "Request-Id: req_1", "x-empty:")


def an_answer(*more: str, status: str = "HTTP/1.1 200 OK", lines: tuple[str, ...] = LINES, body: bytes = BODY) -> bytes:
    return "\r\n".join((status, *lines, *more, "", "")).encode("latin-1") + body


ODDITIES = {
    "a blank after a value": an_answer("x-note: one "),
    "no length": an_answer(lines=LINES[:1]),
    "two lengths": an_answer(LINES[1]),
    "a length that is none": an_answer("Content-Length: x", lines=LINES[:1]),
    "a signed length": an_answer("Content-Length: +18", lines=LINES[:1]),
    "a length and chunks": an_answer("Transfer-Encoding: chunked"),
    "chunks twice": an_answer("Transfer-Encoding: chunked", "transfer-encoding: chunked", lines=LINES[:1]),
    "chunks and another coding": an_answer("Transfer-Encoding: gzip, chunked", lines=LINES[:1]),
    "another coding": an_answer("Transfer-Encoding: xchunked", lines=LINES[:1]),
    "an end of the connection": an_answer("Connection: close"),
    "an upgrade": an_answer("Upgrade: h2c"),
    "trailers": an_answer("Trailer: x"),
    "an interim answer": an_answer(status="HTTP/1.1 100 Continue"),
    "no content": an_answer(status="HTTP/1.1 204 No Content"),
    "not modified": an_answer(status="HTTP/1.1 304 Not Modified"),
    "HTTP/1.0": an_answer(status="HTTP/1.0 200 OK"),
    "a status of four digits": an_answer(status="HTTP/1.1 2000 OK"),
    "a folded line": an_answer("x-note: a\r\n b"),
    "a blank before the colon": an_answer("x-note : a"),
    "a bare line feed": an_answer("x-note: a\nb: c"),
    "a bare carriage return": an_answer("x-note: a\rb"),
    "a value of other letters": an_answer("x-note: \xe9"),
}


CHUNKS = an_answer("Transfer-Encoding: Chunked", lines=LINES[:1], body=b"12\r\n" + BODY + b"\r\n0\r\n\r\n")


def known(head: PlainHead | None) -> PlainHead:
    assert head is not None
    return head


def test_a_plain_head_is_read_as_it_is() -> None:
    head = known(plain_head(an_answer()))
    assert head.headers == (
        ("Content-Type", "application/json"),
        ("Content-Length", "18"),
        ("Request-Id", "req_1"),
        ("x-empty", ""),
    )
    assert (head.status, an_answer()[head.start :], head.length) == (200, BODY, len(BODY))
    assert known(plain_head(an_answer("Connection: keep-alive", status="HTTP/1.1 529 Overloaded"))).status == 529
    assert known(plain_head(CHUNKS)).length == CHUNKED


@pytest.mark.parametrize(("body", "is_whole"), [(BODY, True), (BODY[:-1], False), (BODY + b"x", False), (b"", False)])
def test_an_answer_is_whole_when_its_length_is_what_came(body: bytes, is_whole: bool) -> None:
    data = an_answer(body=body)
    assert known(plain_head(data)).is_whole(data) is is_whole


@pytest.mark.parametrize("name", ODDITIES)
def test_an_odd_head_is_left_to_the_parser(name: str) -> None:
    assert plain_head(ODDITIES[name]) is None


@st.composite
def damaged_answers(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from((an_answer(), CHUNKS))))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(st.sampled_from((b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\0", b",", b"\x80", b"a", b"1", b"")))
        data[at : at + draw(st.integers(0, 2))] = piece
    return bytes(data)


def read_from(reader: AnswerReader) -> tuple[object, ...]:
    found = (reader.status, reader.headers, b"".join(reader.pieces))
    return (*found, reader.ended, reader.broken, reader.reusable, reader.until_close)


@given(damaged_answers())
@example(an_answer())
@example(an_answer(lines=("content-length: 0",), body=b""))
@example(an_answer("x-note: one: "))
@example(an_answer("x-note: "))
@example(an_answer(body=BODY[:-1]))
@example(an_answer(body=BODY + b"x"))
@example(CHUNKS)
@example(CHUNKS[:-2])
@example(CHUNKS.replace(b"12", b"1z"))
def test_what_is_plain_is_read_alike_by_the_parser(data: bytes) -> None:
    head = plain_head(data)
    if head is None:
        return
    whole, behind = AnswerReader(), AnswerReader()
    whole.feed(data)
    behind.feed_body(head, data)
    assert read_from(behind) == read_from(whole)
    if head.is_whole(data):
        expected = (head.status, head.headers, data[head.start :], True, False, True, False)
        assert read_from(whole) == expected
