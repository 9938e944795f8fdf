"""What the upstream sends is what the client gets: status, kept headers and body, byte for byte, however it is cut.

The upstream's answers are written by hand, heads included; the client reads from a bare socket. So no library mends on
either side what the service may have changed.
"""

import asyncio
import gzip
import itertools
import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from crouter.simulator import Scripted, Wait
from tests.behaviour.service import Service, message

KEPT = (
    ("Content-Type", "application/json"),
    ("request-id", "req_011CSHoEeqs5C35K2UUqR7Fy"),
    ("Retry-After", "17"),
    ("retry-after-ms", "16900"),
    ("x-should-retry", "true"),
    ("X-Made-Up-In-2031", 'a  b;c="d", e'),
    ("x-twice", "first"),
    ("x-twice", "second"),
    ("content-language", "en"),
    ("Cache-Control", "no-cache"),
)
DROPPED = (
    ("anthropic-organization-id", "00000000-0000-4000-8000-000000000001"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-tokens-reset", "2026-01-01T00:00:00Z"),
    ("CF-RAY", "8a1b2c3d4e5f-FRA"),
    ("cf-cache-status", "DYNAMIC"),
    ("Set-Cookie", "__cf_bm=abc; path=/"),
    ("Server", "cloudflare"),
    ("Via", "1.1 google"),
    ("x-envoy-upstream-service-time", "1234"),
    ("strict-transport-security", "max-age=1"),
    ("Keep-Alive", "timeout=5"),
)
# Ours, or of our own connection with the client.
STANDING = "anthropic-ratelimit-"
ADDED = {"x-crouter-request-id", "date", "content-length", "transfer-encoding", "connection"}

USAGE = b'"usage":{"input_tokens":11,"output_tokens":7}'
MESSAGE = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[],'
    + USAGE
    + b"}"
)
START = (
    b'{"type":"message_start","message":{"model":"claude-haiku-4-5-20251001","content":[],'
    b'"usage":{"input_tokens":11,"output_tokens":1}}}'
)
DELTA = b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}'


def events(newline: bytes, *extra: bytes) -> bytes:
    """A stream with whatever comes between its start and its end."""
    middle = b"".join(piece.replace(b"\n", newline) for piece in extra)
    start = b"event: message_start" + newline + b"data: " + START + 2 * newline
    delta = b"event: message_delta" + newline + b"data: " + DELTA + 2 * newline
    return start + middle + delta + b"event: message_stop" + newline + b'data: {"type":"message_stop"}' + 2 * newline


ODD_EVENTS = (
    b": a comment\n\n",
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b'event: made_up_in_2031\ndata: {"type":"made_up_in_2031","deep":[1,[2,{"x":null}]]}\nid: 7\nretry: 10\n\n',
    b'data:{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\u00e9"}}\n\n',
    b'event: two_lines\ndata: {"type":\ndata: "two_lines"}\n\n\n\n',
    'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"naïve 💬"}}\n\n'.encode(),
    b"event: broken\ndata: {not json\n\n",
    b"data\n\n",
)


@dataclass(frozen=True)
class Case:
    """An answer of the upstream: what is in it and how it is framed."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = KEPT
    framing: str = "length"
    rows: int = 1


def typed(content_type: str, **more: str) -> tuple[tuple[str, str], ...]:
    others = tuple((name, value) for name, value in KEPT if name != "Content-Type")
    return (("Content-Type", content_type), *others, *more.items())


SSE = typed("text/event-stream; charset=utf-8")
PACKED = {"Content-Encoding": "gzip"}
CASES = {
    "a message": Case(MESSAGE),
    "a message with odd blanks": Case(b' {\n\t"model" : "x" ,\r\n' + USAGE + b"  }\n\n"),
    "a message in chunks": Case(MESSAGE, framing="chunked"),
    "a message until the connection ends": Case(MESSAGE, framing="close"),
    "a packed message": Case(gzip.compress(MESSAGE), headers=typed("application/json", **PACKED)),
    "a stream": Case(events(b"\n"), headers=SSE, framing="chunked"),
    "a stream with CRLF": Case(events(b"\r\n", *ODD_EVENTS), headers=SSE, framing="chunked"),
    "a stream with CR": Case(events(b"\r", *ODD_EVENTS), headers=SSE, framing="chunked"),
    "a stream with odd events": Case(events(b"\n", *ODD_EVENTS), headers=SSE, framing="chunked"),
    "a stream with a byte order mark": Case(b"\xef\xbb\xbf" + events(b"\n"), headers=SSE, framing="chunked"),
    "a stream until the connection ends": Case(events(b"\n", *ODD_EVENTS), headers=SSE, framing="close"),
    "a stream of known length": Case(events(b"\n", *ODD_EVENTS), headers=SSE),
    "a packed stream": Case(
        gzip.compress(events(b"\n", *ODD_EVENTS)), headers=typed("text/event-stream", **PACKED), framing="chunked"
    ),
    "a stream that ends with an error": Case(
        events(b"\n").partition(b"event: message_delta")[0] + b'event: error\ndata: {"type":"error",  "error":{}}\n\n',
        headers=SSE,
        framing="chunked",
    ),
    "an error with odd blanks": Case(
        b'{ "type":"error",\n\n "error": {"type":"invalid_request_error", "message":"prompt is too long: 8310"} }\n',
        status=400,
        rows=0,
    ),
    "overloaded": Case(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', 529, rows=0),
    "an error in HTML": Case(b"<html>\r\n<h1>502 Bad Gateway</h1>\x00\xff", 502, typed("text/html"), rows=0),
    "a packed error": Case(gzip.compress(b'{"type":"error"}'), 500, typed("application/json", **PACKED), rows=0),
    "an empty error": Case(b"", 503, rows=0),
    "an unknown status": Case(b"{}", 418, rows=0),
    "no type at all": Case(b'{"type":"error"}', 404, tuple(pair for pair in KEPT if pair[0] != "Content-Type"), rows=0),
}


@pytest.mark.parametrize("name", CASES)
async def test_the_client_gets_the_upstreams_bytes(service: Service, name: str) -> None:
    case, seed = CASES[name], random.SystemRandom().getrandbits(32)
    print(f"seed of the cuts: {seed}")  # noqa: T201
    for pieces in ([case.body], cut(case.body, random.Random(seed))):  # noqa: S311 - to be repeatable, not secret
        service.simulator.script(next=answer(case, pieces))
        status, headers, body = await exchange(service)
        assert status == case.status
        assert body == case.body
        assert [pair for pair in headers if pair[0] not in ADDED and not pair[0].startswith(STANDING)] == [
            (key.lower(), value) for key, value in case.headers
        ]
        assert not set(DROPPED) & set(headers), "how a key stands is told by us"
        names = [header for header, _ in headers]
        assert all(names.count(own) <= 1 for own in ADDED)
    rows = await service.settled("usage")
    assert len(rows) == 2 * case.rows
    assert all((row["input_tokens"], row["output_tokens"]) in ((11, 7), (11, 1)) for row in rows)


async def test_each_piece_arrives_when_it_is_sent_and_not_with_the_next(service: Service) -> None:
    pieces = [
        piece for event in events(b"\n", *ODD_EVENTS).split(b"\n\n")[:-2] for piece in (event[:9], event[9:] + b"\n\n")
    ]
    service.simulator.script(next=Scripted.stream([*pieces[:6], Wait(20), b"never seen"]))
    reader, writer = await connected(service)
    expected = b"".join(pieces[:6])
    async with asyncio.timeout(5):
        await reader.readuntil(b"\r\n\r\n")
        received = b""
        while expected[-20:] not in received:
            received += await reader.read(65536)
    assert dechunked(received + b"0\r\n\r\n") == expected
    writer.close()


def cut(body: bytes, dice: random.Random) -> Sequence[bytes]:
    """The body in pieces that end anywhere, also within a character."""
    if len(body) < 2:
        return [body]
    places = sorted({0, len(body), *(dice.randrange(len(body)) for _ in range(12))})
    return [body[start:end] for start, end in itertools.pairwise(places)]


def answer(case: Case, pieces: Sequence[bytes]) -> Scripted:
    """The whole HTTP answer, the body in pieces that leave one after the other."""
    framing = {"length": f"Content-Length: {len(case.body)}", "chunked": "Transfer-Encoding: chunked", "close": ""}
    lines = [f"HTTP/1.1 {case.status} As It Is", *(f"{name}: {value}" for name, value in (*case.headers, *DROPPED))]
    lines += [framing[case.framing]] if framing[case.framing] else []
    head = "\r\n".join((*lines, "Connection: close", "", "")).encode()
    chunked = case.framing == "chunked"
    steps: list[bytes | Wait] = [head]
    for piece in pieces:
        steps += [b"%x\r\n%s\r\n" % (len(piece), piece) if chunked and piece else piece, Wait(0.002)]
    return Scripted.verbatim_http(*steps, *([b"0\r\n\r\n"] if chunked else []))


async def connected(service: Service) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a request for a stream was sent."""
    host, _, port = service.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = json.dumps(message(stream=True)).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {service.key}\r\nanthropic-version: 2023-06-01\r\n"
    head += f"accept-encoding: gzip\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    return reader, writer


async def exchange(service: Service) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers in their order and with lower-case names, and body of one answer."""
    reader, writer = await connected(service)
    async with asyncio.timeout(10):
        head, _, rest = (await reader.read(-1)).partition(b"\r\n\r\n")
    writer.close()
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    is_chunked = any(name == "transfer-encoding" for name, _ in headers)
    lengths = [int(value) for name, value in headers if name == "content-length"]
    body = dechunked(rest) if is_chunked else rest
    assert lengths in ([], [len(body)])
    return int(status.split()[1]), headers, body


def dechunked(data: bytes) -> bytes:
    """The content of chunked framing. Raises AssertionError if it is not complete."""
    body = b""
    while True:
        size = re.match(rb"([0-9a-fA-F]+)\r\n", data)
        assert size, "no chunk where one has to be"
        length = int(size[1], 16)
        body += data[size.end() : size.end() + length]
        assert data[size.end() + length : size.end() + length + 2] == b"\r\n"
        data = data[size.end() + length + 2 :]
        if length == 0:
            assert data == b""
            return body
