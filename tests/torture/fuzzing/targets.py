"""What is fuzzed: for each reader of foreign bytes, a check that any bytes have to pass. No I/O, no randomness.

Each target takes bytes, splits them where the bytes themselves say, and asserts what holds for everything: the reader
does not raise, does not depend on the cuts, keeps to its bounds, and agrees with a plain second reading.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final

from crouter.runtime.front.head import HEAD_END, HeadReader, may_become_plain
from crouter.runtime.proxy.content_coding import PIECE_BYTES, Reading, Unreadable, decoder_for
from crouter.runtime.proxy.events import EVENT_BYTES_MAX, AnswerFacts, EventTap, facts_of_message
from crouter.runtime.proxy.headers import RequestHeaders
from crouter.runtime.proxy.request import Accepted, read_request

PATHS: Final = ("/v1/messages", "/v1/messages/count_tokens")
_DECODED_BYTES_MAX: Final = 64 * 1024 * 1024


def cuts(data: bytes) -> tuple[bytes, list[bytes]]:
    """The bytes behind a first one that says at how many places they are cut, whole and in pieces."""
    count = data[0] % 8 if data else 0
    places, rest = data[1 : 1 + count], data[1 + count :]
    at = sorted(place * (len(rest) + 1) // 256 for place in places)
    return rest, [rest[a:b] for a, b in pairwise((0, *at, len(rest)))]


def tap_events(data: bytes) -> None:
    """The tap gives the same facts wherever the stream is cut, and keeps no more than an event."""
    whole, pieces = cuts(data)
    assert seen(tapped([whole])) == seen(tapped(pieces))
    facts = tapped([bytes((byte,)) for byte in whole[:2000]])
    assert seen(facts) == seen(tapped([whole[:2000]]))


def tapped(pieces: list[bytes]) -> AnswerFacts:
    """The facts of a stream that came in these pieces."""
    tap = EventTap()
    for piece in pieces:
        tap.feed(piece)
        assert len(tap._line) <= EVENT_BYTES_MAX + 1024
    tap.close()
    return tap.facts


def seen(facts: AnswerFacts) -> tuple[Any, ...]:
    """Everything that facts tell, to be compared."""
    usage = facts.usage
    counts = usage.counts()
    numbers = (counts.input_tokens, counts.output_tokens, counts.cache_read_input_tokens)
    assert all(number is None or number >= 0 for number in numbers)
    told = (facts.model, facts.stop_reason, facts.content_began, facts.stopped, facts.error_type)
    return (counts, usage.output_is_placeholder, usage.anomalies, usage.unknown_keys, *told)


def read_message(data: bytes) -> None:
    """A JSON answer reports only what a second reader finds in it, too."""
    facts = facts_of_message(data)
    counted = facts.usage.counts().output_tokens
    if counted is not None:
        message = _again(data)
        assert not message or message["usage"]["output_tokens"] == counted


def read_body(data: bytes) -> None:
    """What is accepted is JSON whose first and last reading give the same model, for us and for the upstream."""
    accepted = read_request(data)
    if not isinstance(accepted, Accepted):
        return
    first, last = _again(data, first_wins=True), _again(data)
    if not first or not last:
        return
    assert first["model"] == last["model"] == accepted.model
    assert bool(first.get("stream")) == bool(last.get("stream")) == accepted.stream
    assert first.get("max_tokens") == last.get("max_tokens") == accepted.max_tokens


def _again(data: bytes, *, first_wins: bool = False) -> Any:
    """The second reading; nothing where this reader has bounds of its own, on depth and on digits."""
    try:
        return json.loads(data, object_pairs_hook=_first_wins if first_wins else None)
    except (RecursionError, ValueError):
        return {}


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def decode(data: bytes) -> None:
    """A decoder never raises, gives pieces of bounded size, the same whatever the cuts, and what zlib gives."""
    whole, pieces = cuts(data)
    for coding in ("gzip", "deflate"):
        given, reading = _decoded(coding, [whole])
        in_pieces, reading_of_pieces = _decoded(coding, pieces)
        assert reading_of_pieces is reading
        if reading is Reading.READABLE:
            assert in_pieces == given
        else:
            # What zlib had decoded when it met the fault depends on how much it was given at once.
            assert in_pieces.startswith(given) or given.startswith(in_pieces)
        if coding == "gzip" and reading is Reading.READABLE:
            assert given.startswith(_first_member(whole))


def _decoded(coding: str, pieces: list[bytes]) -> tuple[bytes, Reading]:
    decoder = decoder_for(coding)
    assert not isinstance(decoder, Unreadable)
    given = bytearray()
    for piece in pieces:
        for decoded in decoder.pieces(piece):
            assert len(decoded) <= PIECE_BYTES
            given += decoded
            assert len(given) <= _DECODED_BYTES_MAX, "fuzzers are kept from bombs by the size of their input"
    return bytes(given), decoder.reading


def _first_member(data: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(data)


def read_head(data: bytes) -> None:
    """A head that the fast path takes is of the one form that no two readers understand differently."""
    end = data.find(HEAD_END)
    if end < 0:
        may_become_plain(data)
        return
    head = HeadReader(PATHS, RequestHeaders((), ())).read(data, end)
    if head is not None:
        lines = data[:end].split(b"\r\n")
        names = [line.partition(b":")[0].lower() for line in lines[1:]]
        # What two readers could understand differently is never plain.
        assert b"\n" not in b"".join(lines)
        assert b"\r" not in b"".join(lines)
        assert b"\0" not in data[:end]
        assert names.count(b"content-length") == names.count(b"host") == 1
        assert not {b"transfer-encoding", b"upgrade", b"expect", b"te"} & set(names)
        assert all(name and not name[:1].isspace() and not name[-1:].isspace() for name in names)
        assert 0 <= head.body_bytes < 10**10
        sent = head.lines.text
        assert sent.count("\r") == sent.count("\n") == sent.count("\r\n") == head.lines.count


# By name: the check, and a good input to start from.
TARGETS: Final[dict[str, tuple[Callable[[bytes], None], bytes]]] = {
    "events": (
        tap_events,
        b'\x02\x20\x90event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":1}}}\n\n'
        b'event: message_delta\r\ndata: {"usage":{"output_tokens":5}}\r\n\r\nevent: message_stop\rdata: {}\r\r',
    ),
    "message": (read_message, b'{"model":"claude-haiku-4-5","content":[],"usage":{"output_tokens":5}}'),
    "body": (
        read_body,
        b'{"model":"claude-haiku-4-5","max_tokens":5,"stream":true,"tools":[{"type":"custom"}],"messages":[]}',
    ),
    "coding": (decode, b"\x02\x20\x90" + gzip.compress(b"hello hello hello", mtime=0)),
    "head": (read_head, b"POST /v1/messages HTTP/1.1\r\nHost: a\r\nX-Api-Key: b\r\nContent-Length: 5\r\n\r\nhello"),
}
