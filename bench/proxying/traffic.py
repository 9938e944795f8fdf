"""The bytes of every measured exchange: requests and their answers in the shapes of the Messages API. No I/O."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

EVENTS = 50
EVENT_MILLISECONDS = 20
"""Between two events of a paced stream, which so lasts about a second."""
MODEL = "claude-haiku-4-5"
STAMP = "stamp-" + "0" * 19
"""In each event of a paced stream; the upstream writes the time of sending over the zeros."""
JSON, LARGE, STREAM, PACED = "bench-json", "bench-large", "bench-stream", "bench-paced"
_LARGE_BYTES = 204 * 1024
_WORDS = "The proxy reads usage from the answer as it passes, and keeps nothing else of what is said. "


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of exchange. `name` stands in the request's body, so that it can be told from others even when written
    anew; `answer` is the upstream's whole answer with its head, `content` the body inside it."""

    name: str
    body: bytes
    answer: bytes
    content: bytes
    pieces: tuple[int, ...] = ()
    """Byte counts of what is sent at a time, `EVENT_MILLISECONDS` apart; empty where all is sent at once."""

    @property
    def is_stream(self) -> bool:
        return self.name in (STREAM, PACED)


def workloads() -> dict[str, Workload]:
    """A small exchange, one with a large body, a stream of `EVENTS` events at once, and one sent event by event."""
    small = _plain(JSON, _WORDS * 13)
    large = _plain(LARGE, _WORDS * ((_LARGE_BYTES - len(small.body)) // len(_WORDS) + 13))
    return {each.name: each for each in (small, large, _stream(STREAM, ""), _stream(PACED, STAMP))}


def text_of(workload: Workload) -> str:
    """What the answer says: the text of its content, whatever form it is written in."""
    return _WORDS * 8 if not workload.is_stream else _delta(STAMP if workload.name == PACED else "") * (EVENTS - 5)


def _plain(name: str, said: str) -> Workload:
    content = _compact(_message(_WORDS * 8, output_tokens=300))
    head = _head("application/json", f"Content-Length: {len(content)}")
    return Workload(name, _request(name, said, stream=False), head + content, content)


def _stream(name: str, stamp: str) -> Workload:
    events = tuple(_event(kind, data) for kind, data in _events(stamp))
    head = _head("text/event-stream; charset=utf-8", "Cache-Control: no-cache\r\nTransfer-Encoding: chunked")
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    chunks[0], chunks[-1] = head + chunks[0], chunks[-1] + b"0\r\n\r\n"
    pieces = tuple(map(len, chunks)) if stamp else ()
    # The upstream tells requests apart by their length, so no two may have the same.
    said = _WORDS * 13 + ("Slowly, please." if stamp else "")
    return Workload(name, _request(name, said, stream=True), b"".join(chunks), b"".join(events), pieces)


def _request(name: str, said: str, *, stream: bool) -> bytes:
    body = {
        "model": MODEL,
        "max_tokens": 1024,
        "stream": stream,
        "system": _WORDS * 14,
        "messages": [{"role": "user", "content": f"{name} {said}"}],
    }
    return json.dumps(body).encode()


def _head(media_type: str, framing: str) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n{framing}\r\n"
        "Request-Id: req_011CbenchBenchBenchBench\r\nServer: bench\r\n\r\n"
    ).encode()


def _usage(output_tokens: int) -> dict[str, int]:
    return {
        "input_tokens": 620,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": output_tokens,
    }


def _message(text: str, output_tokens: int) -> dict[str, object]:
    return {
        "id": "msg_01BenchBenchBenchBenchBe",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": "end_turn" if text else None,
        "stop_sequence": None,
        "usage": _usage(output_tokens),
    }


def _delta(stamp: str) -> str:
    return f" and keeps {stamp}" if stamp else " and keeps nothing else"


def _events(stamp: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "message_start", {"message": _message("", output_tokens=1)}
    yield "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
    for _ in range(EVENTS - 5):
        yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": _delta(stamp)}}
    yield "content_block_stop", {"index": 0}
    yield "message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": _usage(300)}
    yield "message_stop", {}


def _event(name: str, data: Mapping[str, object]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _compact({"type": name, **data}))


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
