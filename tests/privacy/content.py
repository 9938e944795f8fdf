"""A request and an answer with a canary in every position that content, a place or an identity can take."""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

from crouter.simulator import Scripted
from crouter.simulator.reply import Step
from crouter.simulator.script import Part, message_events

MODEL = "claude-haiku-4-5"
Plant = Callable[[str], str]

# Taken out before anything is forwarded: they say who or where the customer is.
DROPPED_HEADERS = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "CF-IPCountry",
    "CF-IPCity",
    "CF-Ray",
    "Fastly-Client-IP",
    "Via",
    "From",
    "Cookie",
    "Referer",
    "Origin",
    "Accept-Language",
)
# Passed to the upstream as they are, and kept nowhere.
PASSED_HEADERS = ("User-Agent", "X-Custom-Note", "anthropic-beta", "X-Stainless-OS")
# What libraries like to parse, and to remember.
OWN_HEADERS = ("Host", "Content-Type")


def request_body(plant: Plant, *, stream: bool = False, words: str = "", model: str = MODEL) -> dict[str, Any]:
    """A request to the Messages API with canaries in all its contents; `words` stand before the prompt."""
    document = {"type": "text", "media_type": "text/plain", "data": plant("document")}
    image = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(_png(plant("image"))).decode()}
    return {
        "model": model,
        "max_tokens": 64,
        "stream": stream,
        "system": [{"type": "text", "text": plant("system")}],
        "metadata": {"user_id": plant("user_id")},
        "stop_sequences": [plant("stop_sequence")],
        "tools": [{"name": "look", "description": plant("tool_description"), "input_schema": {"type": "object"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": f"{words} {plant('prompt')}".strip()},
                    {"type": "image", "source": image},
                    {"type": "document", "title": f"{plant('file_name')}.pdf", "source": document},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": plant("tool_input")}}
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": plant("tool_result")}],
            },
        ],
    }


def request_headers(plant: Plant, address: str) -> dict[str, str]:
    """Headers with canaries: those that pass and those that are taken out. `address` is one of a customer."""
    dropped = {name: f"{address}, {plant(name)}" for name in DROPPED_HEADERS}
    own = {"Host": f"{plant('Host')}.example", "Content-Type": f"application/json; note={plant('Content-Type')}"}
    return dropped | own | {name: plant(name) for name in PASSED_HEADERS}


def answer(plant: Plant, *, usage: dict[str, Any] | None = None) -> Scripted:
    """A whole message with canaries in every kind of block and in a header."""
    events = _events(plant)
    blocks: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": plant("thinking"), "signature": plant("signature")}
    ]
    blocks += [{"type": "text", "text": plant("output")}]
    blocks += [{"type": "tool_use", "id": "toolu_2", "name": "look", "input": {"at": plant("tool_use")}}]
    message = events[0]["message"] | {"content": blocks, "stop_sequence": plant("answer_stop_sequence")}
    message["usage"] |= usage or {"output_tokens": 9}
    return Scripted.json(message, headers=_headers(plant))


def stream(plant: Plant, *then: Part, keep: int | None = None, before: tuple[Step, ...] = ()) -> Scripted:
    """The same as a stream: its first `keep` events, and what comes `then`."""
    return Scripted.stream([*before, *_events(plant)[:keep], *then], headers=_headers(plant))


def slow_stream(plant: Plant, delay_s: float) -> Scripted:
    """The same with a pause before every event."""
    return Scripted.stream(_events(plant), delay_s=delay_s, headers=_headers(plant))


def error(plant: Plant, kind: str) -> Scripted:
    """An error of the upstream that quotes the request."""
    return Scripted.error(kind, f"could not read {plant('error')}", headers=_headers(plant) | {"retry-after": "1"})


def error_event(plant: Plant) -> dict[str, Any]:
    """What the upstream says in a stream that began with 200."""
    return {"type": "error", "error": {"type": "overloaded_error", "message": plant("error_event")}}


def _headers(plant: Plant) -> dict[str, str]:
    return {"x-upstream-note": plant("response_header"), "set-cookie": f"sid={plant('response_cookie')}"}


def _events(plant: Plant) -> list[dict[str, Any]]:
    first, *_, last_but_one, last = message_events(delta_usage={"output_tokens": 9})
    pieces: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": plant("streamed_thinking")},
        ),
        ({"type": "text", "text": ""}, {"type": "text_delta", "text": plant("streamed_output")}),
        (
            {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}},
            {"type": "input_json_delta", "partial_json": json.dumps({"at": plant("streamed_tool_use")})},
        ),
    ]
    events = [first]
    for index, (block, delta) in enumerate(pieces):
        events += [
            {"type": "content_block_start", "index": index, "content_block": block},
            {"type": "content_block_delta", "index": index, "delta": delta},
            {"type": "content_block_stop", "index": index},
        ]
    return [*events, last_but_one, last]


def _png(text: str) -> bytes:
    """A picture of one pixel with a text in it, uncompressed, as cameras write them."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    pixel = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tEXt", b"Comment\0" + text.encode()) + pixel + chunk(b"IEND", b"")
