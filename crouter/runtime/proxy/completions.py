"""Reads answers in OpenAI's form, of Anthropic's compatibility endpoint: usage, model and end. Does no I/O.

OpenAI counts what was read from a cache within `prompt_tokens`, and reasoning within `completion_tokens`; our counts
are disjoint, so that the former is taken out and the latter left in. A stream tells its usage in a chunk of its own,
without choices, and ends with `[DONE]`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from crouter.runtime.proxy.events import AnswerFacts
from crouter.runtime.proxy.usage import reported_model

EVENT_BYTES_MAX: Final = 256 * 1024
DONE: Final = b"[DONE]"
_UNDECODABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
# Parts of the totals beside them; the total of both is their sum.
_EXPLANATORY: Final = frozenset({"total_tokens", "completion_tokens_details", "prompt_tokens_details"})
_TEXT_CHARS_MAX: Final = 64


class _Error(msgspec.Struct):
    type: Any = None


class _Chunk(msgspec.Struct):
    model: Any = None
    usage: Any = None
    error: _Error | None = None
    choices: msgspec.Raw = msgspec.Raw(b"")


_decode_chunk = msgspec.json.Decoder(_Chunk).decode


class CompletionTap:
    """Reads a stream of chunks. Only the first, and those that speak of usage or an error, are decoded."""

    def __init__(self) -> None:
        self.facts = AnswerFacts()
        self._line = bytearray()
        self._skips_line = False

    def feed(self, data: bytes) -> None:
        """Reads on. Never raises for anything the upstream may send."""
        *lines, rest = data.replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            if self._line or self._skips_line:
                line = bytes(self._line) + line
                self._line.clear()
            if not self._skips_line:
                self._take(line)
            self._skips_line = False
        if len(self._line) + len(rest) > EVENT_BYTES_MAX:
            self._skip(rest)
        elif not self._skips_line:
            self._line += rest

    def close(self) -> None:
        """The stream has ended; a last line without its end counts."""
        if self._line and not self._skips_line:
            self._take(bytes(self._line))
        self._line.clear()

    def _skip(self, rest: bytes) -> None:
        if not self._skips_line and b'"usage":{' in b"".join((self._line, rest)).replace(b" ", b""):
            self.facts.usage.note("event_too_large")
        self._line.clear()
        self._skips_line = True

    def _take(self, line: bytes) -> None:
        if not line.startswith(b"data:"):
            return
        data = line[5:].strip()
        facts = self.facts
        if data == DONE:
            facts.stopped = True
        elif facts.model is None or b'"usage"' in data or b'"error"' in data:
            _take_chunk(facts, data)
        facts.content_began = facts.content_began or b'"delta"' in data


def facts_of_completion(body: bytes) -> AnswerFacts:
    """The facts of a complete answer; `stopped` only if the body is whole JSON."""
    facts = AnswerFacts()
    if _take_chunk(facts, body):
        facts.stopped = True
        # Whatever is billed for an answer of this form was reported for it: there is no refusal that is free.
        facts.content_began = True
    else:
        facts = AnswerFacts()
    return facts


def is_usage_chunk(data: bytes) -> bool:
    """Whether the data of an event is the chunk that only tells the usage: no choices, and a `usage` object."""
    try:
        chunk = _decode_chunk(data)
    except _UNDECODABLE:
        return False
    return isinstance(chunk.usage, dict) and bytes(chunk.choices).translate(None, b" \t\r\n") in (b"", b"[]")


def _take_chunk(facts: AnswerFacts, data: bytes) -> bool:
    try:
        chunk = _decode_chunk(data)
    except _UNDECODABLE:
        facts.usage.note("event_malformed")
        return False
    facts.model = reported_model(chunk.model) or facts.model
    if chunk.error is not None:
        kind = chunk.error.type
        facts.error_type = kind[:_TEXT_CHARS_MAX] if isinstance(kind, str) else "unnamed"
    if chunk.usage is not None:
        facts.usage.update(_disjoint(chunk.usage) if isinstance(chunk.usage, dict) else chunk.usage)
    return True


def _disjoint(usage: Mapping[str, Any]) -> dict[str, Any]:
    """The counts in Anthropic's names; others as they are, so that what is unknown is named."""
    counts = {key: value for key, value in usage.items() if key not in _EXPLANATORY}
    prompt = counts.pop("prompt_tokens", None)
    written = counts.pop("completion_tokens", None)
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    if prompt is not None:
        counts["input_tokens"] = prompt
    if type(prompt) is int and type(cached) is int and 0 < cached <= prompt:
        counts["input_tokens"], counts["cache_read_input_tokens"] = prompt - cached, cached
    if written is not None:
        counts["output_tokens"] = written
    return counts
