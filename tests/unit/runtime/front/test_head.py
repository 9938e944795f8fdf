"""Which heads are plain: a table of oddities, and a comparison with a parser of another make."""

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crouter.runtime.front import head as head_module
from crouter.runtime.front.head import HEAD_BYTES_MAX, HEAD_END, HeadReader, PlainHead, may_become_plain
from crouter.runtime.proxy.headers import RequestHeaders

CHOSEN = RequestHeaders(("cookie", "origin", "x-forwarded"), ("x-forwarded-", "cf-", "x-crouter-"))
READER = HeadReader(("/v1/messages",), CHOSEN)

LINES = (
    "Host: 127.0.0.1:8080",
    "Accept-Encoding: gzip, deflate",
    "Connection: keep-alive",
    "User-Agent: a client/1.0 (of somebody)",
    "Content-Type: application/json",
    "anthropic-version: 2023-06-01",
    "anthropic-beta: one-2025-01-01,two-2025-01-01",
    "X-Api-Key: sk-cr-of-somebody",
    "X-Forwarded-For: 192.0.2.1",
    "X-Stainless-Empty:",
    "Content-Length: 2",
)
START = "POST /v1/messages?beta=true HTTP/1.1"


def a_head(*more: str, start: str = START, without: str = " ", lines: tuple[str, ...] = LINES) -> bytes:
    kept = [line for line in lines if not line.lower().startswith(without)]
    return "\r\n".join((start, *kept, *more, "", "")).encode("latin-1")


ODDITIES = {
    "another method": a_head(start="GET /v1/messages HTTP/1.1"),
    "a method in small letters": a_head(start="post /v1/messages HTTP/1.1"),
    "another path": a_head(start="POST /v1/messages/batches HTTP/1.1"),
    "an escaped path": a_head(start="POST /v1/%6dessages HTTP/1.1"),
    "a path with a dot": a_head(start="POST /v1/./messages HTTP/1.1"),
    "a trailing slash": a_head(start="POST /v1/messages/ HTTP/1.1"),
    "a fragment": a_head(start="POST /v1/messages#part HTTP/1.1"),
    "a query of odd bytes": a_head(start='POST /v1/messages?a="b" HTTP/1.1'),
    "an absolute address": a_head(start="POST http://x/v1/messages HTTP/1.1"),
    "HTTP/1.0": a_head(start="POST /v1/messages HTTP/1.0"),
    "HTTP/2.0": a_head(start="POST /v1/messages HTTP/2.0"),
    "two blanks": a_head(start="POST  /v1/messages HTTP/1.1"),
    "a tab": a_head(start="POST\t/v1/messages HTTP/1.1"),
    "an empty line first": b"\r\n" + a_head(),
    "no host": a_head(without="host"),
    "an empty host": a_head("Host:", without="host"),
    "two hosts": a_head("Host: 127.0.0.1:8080"),
    "a host with a path": a_head("Host: x/y", without="host"),
    "no length": a_head(without="content-length"),
    "two lengths": a_head("Content-Length: 3"),
    "two equal lengths": a_head("content-length: 2"),
    "lengths in one line": a_head("Content-Length: 2, 2", without="content-length"),
    "a signed length": a_head("Content-Length: +2", without="content-length"),
    "a negative length": a_head("Content-Length: -2", without="content-length"),
    "a hexadecimal length": a_head("Content-Length: 0x2", without="content-length"),
    "a length in other digits": a_head("Content-Length: \xb2", without="content-length"),
    "an endless length": a_head("Content-Length: 99999999999", without="content-length"),
    "chunks": a_head("Transfer-Encoding: chunked", without="content-length"),
    "a length and chunks": a_head("Transfer-Encoding: chunked"),
    "a length and odd chunks": a_head("Transfer-Encoding: xchunked"),
    "chunks with a tab": a_head("Transfer-Encoding:\tchunked"),
    "trailers": a_head("Trailer: x-check"),
    "te": a_head("TE: trailers"),
    "an upgrade": a_head("Upgrade: h2c"),
    "http2 settings": a_head("HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    "an expectation": a_head("Expect: 100-continue"),
    "a coding of the body": a_head("Content-Encoding: gzip"),
    "an end of the connection": a_head("Connection: close", without="connection"),
    "a connection with names": a_head("Connection: keep-alive, x-stainless-empty", without="connection"),
    "two connections": a_head("Connection: keep-alive"),
    "keep-alive with a time": a_head("Keep-Alive: timeout=5"),
    "two keys": a_head("x-api-key: sk-cr-of-another"),
    "two types": a_head("content-type: text/plain"),
    "two signatures of the edge": a_head("x-crouter-edge: v1", "X-Crouter-Edge: v1"),
    "two accepted codings": a_head("accept-encoding: br"),
    "a folded line": a_head("x-note: one\r\n two"),
    "a blank before the colon": a_head("x-note : one"),
    "a blank in a name": a_head("x note: one"),
    "a line that begins with a blank": a_head(" x-note: one"),
    "a name that is none": a_head("x(note): one"),
    "a name of other letters": a_head("x-n\xf6te: one"),
    "a blank after a value": a_head("x-note: one "),
    "a blank after a value that ends in a colon": a_head("x-note: one: "),
    "a tab after a value": a_head("x-note: one\t"),
    "no name": a_head(": one"),
    "no colon": a_head("x-note"),
    "a zero": a_head("x-note: a\0b"),
    "a control character": a_head("x-note: a\x07b"),
    "a bare line feed": a_head("x-note: a\nx-api-key: b"),
    "a bare carriage return": a_head("x-note: a\rx-api-key: b"),
    "a value of other letters": a_head("x-note: \xe9"),
    "a last line that ends in a line feed": a_head().replace(b"Content-Length: 2\r\n", b"Content-Length: 2\n"),
    "too much": a_head("x-note: " + "a" * HEAD_BYTES_MAX),
    "too many": a_head(*(f"x-note-{number}: a" for number in range(100))),
}


def read(data: bytes, reader: HeadReader = READER) -> PlainHead | None:
    end = data.find(HEAD_END)
    return None if end < 0 else reader.read(data, end)


def accepted_oddities() -> set[str]:
    reader = HeadReader(("/v1/messages",), CHOSEN)
    return {name for name, data in ODDITIES.items() if read(data, reader) is not None}


def test_a_plain_head_is_read_and_only_what_may_leave_is_in_its_lines() -> None:
    head = read(a_head())
    assert head is not None
    assert (head.target, head.body_bytes, head.edge) == ("/v1/messages?beta=true", 2, None)
    assert head.presented == [("x-api-key", "sk-cr-of-somebody")]
    assert head.lines.text == (
        "User-Agent: a client/1.0 (of somebody)\r\n"
        "Content-Type: application/json\r\n"
        "anthropic-version: 2023-06-01\r\n"
        "anthropic-beta: one-2025-01-01,two-2025-01-01\r\n"
        "X-Stainless-Empty: \r\n"
        "accept-encoding: gzip, deflate\r\n"
    )
    assert head.lines.count == head.lines.text.count("\r\n")


def test_no_oddity_is_plain() -> None:
    assert accepted_oddities() == set()


@pytest.mark.interpreted("puts another constant in the place of a compiled one")
@pytest.mark.parametrize(
    ("part", "laxer", "found"),
    [
        ("_UNUSUAL", frozenset({"te"}), {"a length and chunks", "an expectation", "an upgrade"}),
        ("_HEADERS_MAX", 1_000, {"too many"}),
        ("HEAD_BYTES_MAX", 1_000_000, {"too much"}),
    ],
)
def test_a_laxer_reader_would_be_found(
    part: str, laxer: object, found: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_module, part, laxer)
    assert accepted_oddities() >= found


names = st.sampled_from(
    ("accept", "User-Agent", "x-stainless-os", "X-Mixed-Case", "cookie", "CF-Ray", "x-forwarded-host", "anthropic-new")
)
values = st.text(st.characters(codec="ascii", min_codepoint=0x20, max_codepoint=0x7E), max_size=20).map(str.strip)


@given(st.lists(st.tuples(names, values), max_size=12))
def test_what_leaves_is_what_leaves_on_the_way_through_aiohttp(headers: list[tuple[str, str]]) -> None:
    fixed = [("host", "x"), ("content-length", "2"), ("x-api-key", "sk-cr-x")]
    every = (*fixed, *headers)
    head = read(a_head(lines=tuple(f"{name}: {value}" for name, value in every)))
    assert head is not None
    assert head.lines.text == "".join(f"{name}: {value}\r\n" for name, value in CHOSEN.forwarded(every))


class Parsed:
    """What a parser of another make reads."""

    def __init__(self, data: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.target = b""
        self.whole = False
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.whole = True


@st.composite
def damaged_heads(draw: st.DrawFn) -> bytes:
    """A plain head with a few bytes put in, taken out or replaced."""
    data = bytearray(a_head())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data) - 1))
        piece = draw(st.sampled_from((b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\0", b",", b"\x80", b"a", b"2", b"")))
        data[at : at + draw(st.integers(0, 2))] = piece
    return bytes(data)


@given(damaged_heads())
@example(a_head())
def test_what_is_plain_is_read_alike_by_another_parser(data: bytes) -> None:
    head = read(data)
    if head is None:
        return
    end = data.find(HEAD_END) + len(HEAD_END)
    parsed = Parsed(data[:end])
    assert parsed.whole
    assert parsed.parser.get_method() == b"POST"
    assert parsed.parser.get_http_version() == "1.1"
    assert parsed.target.decode() == head.target
    lengths = [int(value) for name, value in parsed.headers if name.lower() == b"content-length"]
    assert lengths == [head.body_bytes]
    kept = [(name, value) for name, value in parsed.headers if CHOSEN.passes(name.lower().decode())]
    told = [line.partition(": ") for line in head.lines.text.split("\r\n")[:-2]]
    assert [(name.decode(), value.decode()) for name, value in kept] == [(name, value) for name, _, value in told]


def test_an_incomplete_head_is_waited_for_only_while_it_may_become_a_request() -> None:
    data = a_head()
    assert all(may_become_plain(data[:length]) for length in range(1, len(data) - 1))
    for nothing in (b"\x16\x03\x01", b"get", b"GARBAGE\r\n", b"POST / HTTP/9.9\r\n", b"POST /v1 HTTP/1.1\n", b"\r\n"):
        assert not may_become_plain(nothing)
    assert not may_become_plain(b"POST / HTTP/1.1\r\nhost: x\n\n")
    assert not may_become_plain(b"POST / HTTP/1.1\r\nhost: x\n\r\n")
    assert not may_become_plain(b"POST / HTTP/1.1\r\n" + b"a" * HEAD_BYTES_MAX)
