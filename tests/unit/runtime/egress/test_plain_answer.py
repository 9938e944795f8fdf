"""Which answers need no parser, compared with the parser's own reading."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crouter.runtime.egress.answer_reader import AnswerReader
from crouter.runtime.egress.plain_answer import plain_answer

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
    "too little": an_answer(body=BODY[:-1]),
    "too much": an_answer(body=BODY + b"x"),
    "no body yet": an_answer(body=b""),
    "chunks": an_answer("Transfer-Encoding: chunked"),
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


def test_a_plain_answer_is_read_as_it_is() -> None:
    headers = (("Content-Type", "application/json"), ("Content-Length", "18"), ("Request-Id", "req_1"), ("x-empty", ""))
    assert plain_answer(an_answer()) == (200, headers, BODY)
    kept = plain_answer(an_answer("Connection: keep-alive", status="HTTP/1.1 529 Overloaded"))
    assert kept is not None
    assert kept[0] == 529


@pytest.mark.parametrize("name", ODDITIES)
def test_an_odd_answer_is_left_to_the_parser(name: str) -> None:
    assert plain_answer(ODDITIES[name]) is None


@st.composite
def damaged_answers(draw: st.DrawFn) -> bytes:
    data = bytearray(an_answer())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(st.sampled_from((b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\0", b",", b"\x80", b"a", b"1", b"")))
        data[at : at + draw(st.integers(0, 2))] = piece
    return bytes(data)


@given(damaged_answers())
@example(an_answer())
@example(an_answer(lines=("content-length: 0",), body=b""))
def test_what_is_plain_is_read_alike_by_the_parser(data: bytes) -> None:
    answer = plain_answer(data)
    if answer is None:
        return
    reader = AnswerReader()
    reader.feed(data)
    assert (reader.ended, reader.broken, reader.reusable) == (True, False, True)
    assert (reader.status, reader.headers, b"".join(reader.pieces)) == answer
