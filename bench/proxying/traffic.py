"""The bytes of every measured exchange: two requests and their answers in the shapes of the Messages API."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

EVENTS = 50
MODEL = "claude-haiku-4-5"
_WORDS = "The proxy reads usage from the answer as it passes, and keeps nothing else of what is said. "


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of exchange. `answer` is the upstream's whole answer with its head, `content` the body inside it."""

    name: str
    body: bytes
    answer: bytes
    content: bytes

    def request(self, port: int, key: str) -> bytes:
        """The request as a client sends it."""
        head = (
            "POST /v1/messages HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{port}\r\n"
            "Accept: application/json\r\n"
            "Content-Type: application/json\r\n"
            "User-Agent: crouter-bench\r\n"
            "Anthropic-Version: 2023-06-01\r\n"
            f"X-Api-Key: {key}\r\n"
            f"Content-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


def workloads() -> tuple[Workload, ...]:
    """A small answer, and a stream of `EVENTS` events that the upstream sends at once."""
    answer = json.dumps(_message(_WORDS * 8, output_tokens=300)).encode()
    events = tuple(_event(name, data) for name, data in _events())
    return (
        Workload(
            "JSON", _request(stream=False), _head("application/json", f"Content-Length: {len(answer)}") + answer, answer
        ),
        Workload(
            "stream",
            _request(stream=True),
            _head("text/event-stream; charset=utf-8", "Cache-Control: no-cache\r\nTransfer-Encoding: chunked")
            + b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)
            + b"0\r\n\r\n",
            b"".join(events),
        ),
    )


def _request(*, stream: bool) -> bytes:
    body = {
        "model": MODEL,
        "max_tokens": 1024,
        "stream": stream,
        "system": _WORDS * 14,
        "messages": [{"role": "user", "content": _WORDS * 13}],
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


def _events() -> Iterator[tuple[str, Mapping[str, object]]]:
    yield "message_start", {"message": _message("", output_tokens=1)}
    yield "content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}
    for _ in range(EVENTS - 5):
        yield "content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": " and keeps nothing else"}}
    yield "content_block_stop", {"index": 0}
    yield "message_delta", {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": _usage(300)}
    yield "message_stop", {}


def _event(name: str, data: Mapping[str, object]) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()
