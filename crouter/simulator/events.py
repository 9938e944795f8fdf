"""An answer as the API writes it: one JSON message, or the events of a stream.

Shapes follow the types of the `anthropic` SDK. `message_start` carries a placeholder of one output
token and `message_delta` repeats the cumulative counters, as the real API does.
"""

import json
import re
from collections.abc import Iterator

from crouter.simulator.answer import Answer
from crouter.simulator.cache import InputUsage
from crouter.simulator.request import Json

WORDS_PER_DELTA = 3
CHARACTERS_PER_JSON_DELTA = 24
PLACEHOLDER_OUTPUT_TOKENS = 1

_WORDS = re.compile(rf"(?:\S+\s*){{1,{WORDS_PER_DELTA}}}|\s+")


def usage_object(answer: Answer, inputs: InputUsage) -> Json:
    """The `usage` of a complete message."""
    usage: Json = {
        "input_tokens": inputs.plain,
        "cache_creation_input_tokens": inputs.write,
        "cache_read_input_tokens": inputs.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": inputs.write_5m,
            "ephemeral_1h_input_tokens": inputs.write_1h,
        },
        "output_tokens": answer.output_tokens,
        "service_tier": "standard",
    }
    return usage | _output_details(answer)


def message_object(answer: Answer, inputs: InputUsage, *, message_id: str, model: str) -> Json:
    """A complete message, as a request without `stream` gets it."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(answer.blocks),
        "stop_reason": answer.stop_reason,
        "stop_sequence": answer.stop_sequence,
        "stop_details": _stop_details(answer),
        "usage": usage_object(answer, inputs),
    }


def stream_events(answer: Answer, inputs: InputUsage, *, message_id: str, model: str) -> Iterator[Json]:
    """The events of a stream, `message_start` to `message_stop`."""
    start = message_object(answer, inputs, message_id=message_id, model=model)
    start |= {"content": [], "stop_reason": None, "stop_sequence": None, "stop_details": None}
    start["usage"] |= {"output_tokens": PLACEHOLDER_OUTPUT_TOKENS}
    start["usage"].pop("server_tool_use", None)
    start["usage"].pop("output_tokens_details", None)
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(answer.blocks):
        yield from _block_events(index, block)
    yield {
        "type": "message_delta",
        "delta": {
            "stop_reason": answer.stop_reason,
            "stop_sequence": answer.stop_sequence,
            "stop_details": _stop_details(answer),
        },
        "usage": {
            "input_tokens": inputs.plain,
            "cache_creation_input_tokens": inputs.write,
            "cache_read_input_tokens": inputs.read,
            "output_tokens": answer.output_tokens,
        }
        | _output_details(answer),
    }
    yield {"type": "message_stop"}


def ping_event() -> Json:
    """What the API sends while nothing else happens."""
    return {"type": "ping"}


def encode_event(event: Json) -> bytes:
    """One server-sent event, named by its type."""
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"event: {event['type']}\ndata: {data}\n\n".encode("utf-8", "replace")


def _block_events(index: int, block: Json) -> Iterator[Json]:
    start, deltas = _split(block)
    yield {"type": "content_block_start", "index": index, "content_block": start}
    if index == 0:
        yield ping_event()
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _split(block: Json) -> tuple[Json, list[Json]]:
    """A block as it starts, and the deltas that complete it."""
    kind = block["type"]
    if kind == "text":
        return block | {"text": ""}, [{"type": "text_delta", "text": words} for words in _WORDS.findall(block["text"])]
    if kind == "thinking":
        thoughts = [{"type": "thinking_delta", "thinking": words} for words in _WORDS.findall(block["thinking"])]
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return block | {"thinking": "", "signature": ""}, [*thoughts, signed]
    if kind in ("tool_use", "server_tool_use"):
        text = json.dumps(block["input"], ensure_ascii=False)
        step = CHARACTERS_PER_JSON_DELTA
        parts = ["", *(text[at : at + step] for at in range(0, len(text), step))]
        return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return block, []


def _output_details(answer: Answer) -> Json:
    details: Json = {}
    if answer.thinking_tokens:
        details["output_tokens_details"] = {"thinking_tokens": answer.thinking_tokens}
    if answer.web_searches is not None:
        details["server_tool_use"] = {
            "web_search_requests": answer.web_searches,
            "web_fetch_requests": 0,
        }
    return details


def _stop_details(answer: Answer) -> Json | None:
    if answer.stop_reason != "refusal":
        return None
    return {"type": "refusal", "category": None, "explanation": "The simulator was asked to."}
