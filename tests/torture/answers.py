"""Answers that the torture upstream gives: a stream or a message that reports known counts and carries its identity."""

import json
from typing import Any, Final

MODEL: Final = "claude-haiku-4-5"
EVENT_STREAM: Final = "text/event-stream; charset=utf-8"
JSON: Final = "application/json"


def event(name: str, data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps({'type': name, **data}, separators=(',', ':'))}\n\n".encode()


def start(identity: int, **usage: Any) -> bytes:
    """The first event, with the placeholder that real answers carry for the output."""
    reported = {"input_tokens": 11, "cache_read_input_tokens": identity, "output_tokens": 1, **usage}
    message = {"id": f"msg_{identity}", "type": "message", "role": "assistant", "model": MODEL, "content": []}
    return event("message_start", {"message": {**message, "stop_reason": None, "usage": reported}})


def delta(output: int, **usage: Any) -> bytes:
    """A report of cumulative counts."""
    return event(
        "message_delta",
        {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": output, **usage}},
    )


def text(words: str) -> bytes:
    """A piece of the answer's text."""
    return event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": words}})


def stream(identity: int, texts: int = 3, **usage: Any) -> tuple[bytes, ...]:
    """The events of a whole stream. `usage` is reported beside the output in the last report."""
    return (
        start(identity),
        event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        event("ping", {}),
        *(text(f"word {number} ") for number in range(texts)),
        event("content_block_stop", {"index": 0}),
        delta(7 + texts, **usage),
        event("message_stop", {}),
    )


def message(identity: int, words: str = "Hello", **usage: Any) -> bytes:
    """A whole answer that is no stream."""
    reported = {"input_tokens": 11, "cache_read_input_tokens": identity, "output_tokens": 7, **usage}
    content = [{"type": "text", "text": words}]
    told = {"id": f"msg_{identity}", "type": "message", "role": "assistant", "model": MODEL, "content": content}
    return json.dumps({**told, "stop_reason": "end_turn", "stop_sequence": None, "usage": reported}).encode()


def question(serial: int, *, stream: bool = True, **more: Any) -> bytes:
    """The body of a request that the upstream can tell from all others."""
    asked = {"model": MODEL, "max_tokens": 64, "stream": stream, "messages": [{"role": "user", "content": "Hello"}]}
    return json.dumps({**asked, "metadata": {"user_id": f"torture-{serial}-"}, **more}).encode()
