"""Which tool the answer calls next, and what it says of a tool's result. Does no I/O.

A prompt asks with lines such as

    use the Bash tool to run: echo hello
    use the Read tool on: /tmp/notes.txt
    use the get_weather tool with: {"city": "Oslo"}

Each line is one step: a call, its result, then the next call, and at the end an answer in words.
"""

import json
import re
from dataclasses import dataclass

from crouter.simulator.request import Json, MessagesRequest, has_tool_result, human_text, is_text
from crouter.simulator.structured import dict_in, example_of, required_in

QUOTE_MAX = 300

_INSTRUCTION = re.compile(r"\buse the ([\w.-]+) tool\b[^:\n]*:[ \t]*(\S.*)", re.I)


@dataclass(frozen=True)
class ToolCall:
    """One `tool_use` block to be. `input` fits the tool's schema as far as it is known."""

    name: str
    input: Json


def next_tool_call(request: MessagesRequest) -> ToolCall | None:
    """The call that the prompt asks for now, or None when the answer is words."""
    if request.tool_choice.get("type") == "none":
        return None
    tools = {tool["name"]: tool for tool in request.tools if "input_schema" in tool}
    instructions = _instructions(request, tools)
    done = len(tool_results(request))
    if done < len(instructions):
        name, argument = instructions[done]
        return ToolCall(name, _input(tools[name]["input_schema"], argument))
    forced = _forced(request, tools)
    if forced and not done:
        return ToolCall(forced, _input(tools[forced]["input_schema"], None))
    return None


def tool_results(request: MessagesRequest) -> list[Json]:
    """The results that came after the last message a person wrote."""
    results: list[Json] = []
    for message in reversed(request.turns):
        if message["role"] != "user":
            continue
        if not has_tool_result(message):
            break
        results = [b for b in message["content"] if b.get("type") == "tool_result"] + results
    return results


def result_quote(result: Json) -> str:
    """The beginning of what a tool returned."""
    content = result.get("content") or ""
    if isinstance(content, list):
        content = "\n".join(b["text"] for b in content if isinstance(b, dict) and is_text(b))
    text = content.strip() if isinstance(content, str) else ""
    return text if len(text) <= QUOTE_MAX else text[:QUOTE_MAX] + "…"


def _instructions(request: MessagesRequest, tools: dict[str, Json]) -> list[tuple[str, str]]:
    """The asked-for calls of tools that are offered, in the order of the prompt."""
    asked = next((m for m in reversed(request.turns) if m["role"] == "user" and not has_tool_result(m)), None)
    if asked is None:
        return []
    known = {name.lower(): name for name in tools}
    return [
        (known[name.lower()], argument.strip())
        for name, argument in _INSTRUCTION.findall(human_text(asked))
        if name.lower() in known
    ]


def _forced(request: MessagesRequest, tools: dict[str, Json]) -> str | None:
    kind, name = request.tool_choice.get("type"), request.tool_choice.get("name")
    if kind == "tool" and isinstance(name, str) and name in tools:
        return name
    return next(iter(tools), None) if kind == "any" else None


def _input(schema: Json, argument: str | None) -> Json:
    """A JSON object is the input itself; any other text becomes the first required string."""
    if argument is not None:
        try:
            given = json.loads(argument)
        except (ValueError, RecursionError):
            given = None
        if isinstance(given, dict):
            return given
    example = example_of(schema)
    filled: Json = example if isinstance(example, dict) else {}
    properties = dict_in(schema, "properties")
    names = [name for name in required_in(schema) if name in properties]
    texts = [name for name in (*names, *properties) if dict_in(properties, name).get("type") == "string"]
    if argument is not None and texts:
        filled[texts[0]] = argument
    return filled
