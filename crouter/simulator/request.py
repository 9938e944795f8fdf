"""Reads the body of a Messages request far enough to answer it. Does no I/O.

Unknown fields and block types pass: the API is an open list and a stand-in must not be stricter
than what it stands in for. Shapes that the simulator itself walks over are checked.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crouter.simulator.errors import Refusal

Json = dict[str, Any]

REMINDER = "<system-reminder>"


@dataclass(frozen=True)
class MessagesRequest:
    """What the answer depends on. `system` and every message hold content blocks, never a string."""

    model: str
    max_tokens: int
    stream: bool
    system: tuple[Json, ...]
    messages: tuple[Json, ...]
    tools: tuple[Json, ...]
    tool_choice: Json
    thinking: Json
    stop_sequences: tuple[str, ...]
    schema: Json | None
    cache_control: Json | None
    asks_context_management: bool

    @property
    def system_text(self) -> str:
        return "\n".join(block["text"] for block in self.system if is_text(block))

    @property
    def turns(self) -> tuple[Json, ...]:
        """The conversation without the system messages that may stand between its turns."""
        return tuple(message for message in self.messages if message["role"] != "system")


def is_text(block: Json) -> bool:
    """A text block that really holds text."""
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def human_text(message: Json) -> str:
    """The text a person wrote: reminders that Claude Code adds around it are left out."""
    texts = (block["text"] for block in message["content"] if is_text(block))
    return "\n".join(text for text in texts if not text.lstrip().startswith(REMINDER))


def has_tool_result(message: Json) -> bool:
    """True for the user message that brings the results of tools."""
    return any(block.get("type") == "tool_result" for block in message["content"])


def read_request(body: bytes, *, counting: bool = False) -> MessagesRequest | Refusal:
    """The request in `body`, or the 400 that the API gives. `counting`: max_tokens is not needed."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return _invalid("The request body is not valid JSON")
    if not isinstance(fields, dict):
        return _invalid("Input should be an object")
    problem = _problem(fields, counting=counting)
    if problem:
        return _invalid(problem)
    output = fields.get("output_config") or {}
    form = (output.get("format") if isinstance(output, dict) else None) or {}
    schema = form.get("schema") if isinstance(form, dict) else None
    return MessagesRequest(
        model=fields["model"],
        max_tokens=fields.get("max_tokens", 0),
        stream=fields.get("stream") is True,
        system=_blocks(fields.get("system") or ()),
        messages=tuple(message | {"content": _blocks(message["content"])} for message in fields["messages"]),
        tools=tuple(fields.get("tools") or ()),
        tool_choice=fields.get("tool_choice") or {},
        thinking=fields.get("thinking") or {},
        stop_sequences=tuple(fields.get("stop_sequences") or ()),
        schema=schema if isinstance(schema, dict) else None,
        cache_control=fields.get("cache_control"),
        asks_context_management="context_management" in fields,
    )


def _invalid(message: str) -> Refusal:
    return Refusal("invalid_request_error", message)


def _blocks(content: str | Sequence[Json]) -> tuple[Json, ...]:
    if isinstance(content, str):
        return ({"type": "text", "text": content},)
    return tuple(content)


def _problem(fields: Json, *, counting: bool) -> str | None:
    """The first thing wrong, in the API's words, or None."""
    needed = ("model", "messages") if counting else ("model", "max_tokens", "messages")
    for name in needed:
        if name not in fields:
            return f"{name}: Field required"
    if not isinstance(fields["model"], str) or not fields["model"]:
        return "model: Input should be a valid string"
    max_tokens = fields.get("max_tokens", 0)
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 0:
        return "max_tokens: Input should be a valid integer, 0 or greater"
    for name in ("tool_choice", "thinking", "cache_control"):
        if not isinstance(fields.get(name) or {}, dict):
            return f"{name}: Input should be an object"
    stops = fields.get("stop_sequences") or []
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        return "stop_sequences: Input should be a valid list of strings"
    return _tools_problem(fields.get("tools") or []) or _content_problem(fields)


def _tools_problem(tools: object) -> str | None:
    if not isinstance(tools, list):
        return "tools: Input should be a valid list"
    for number, tool in enumerate(tools):
        if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
            return f"tools.{number}: Input should be an object with a name"
        if not isinstance(tool.get("input_schema", {}), dict):
            return f"tools.{number}.input_schema: Input should be an object"
    return None


def _content_problem(fields: Json) -> str | None:
    messages = fields["messages"]
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    if not _is_content(fields.get("system") or ""):
        return "system: Input should be a valid string or list of blocks"
    for number, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in (
            "user",
            "assistant",
            "system",
        ):
            return f"messages.{number}.role: Input should be 'user' or 'assistant'"
        if not _is_content(message.get("content")):
            return f"messages.{number}.content: Input should be a valid string or list of blocks"
    if all(message["role"] == "system" for message in messages):
        return "messages: at least one message is required"
    return None


def _is_content(content: object) -> bool:
    if isinstance(content, str):
        return True
    return isinstance(content, list) and all(
        isinstance(block, dict) and isinstance(block.get("type"), str) for block in content
    )
