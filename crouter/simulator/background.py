"""Answers to the calls that Claude Code makes on its own: titles, topics, command prefixes.

Recognised by Claude Code's own system prompts, so that an ordinary conversation about titles is
never mistaken for one. Newer versions ask with a JSON schema; `structured` answers those.
"""

import json

from crouter.simulator.request import MessagesRequest, human_text, is_text

_CLAUDE_CODE = ("x-anthropic-billing-header", "Claude Code", "Claude Agent SDK")
TITLE = "Simulated session"


def background_text(request: MessagesRequest) -> str | None:
    """The answer to a background call, or None when the request is none."""
    system = request.system_text
    if request.tools or not any(mark in system for mark in _CLAUDE_CODE):
        return None
    asked = system + "\n" + human_text(request.turns[-1]) if request.turns else system
    if "isNewTopic" in asked:
        return _after_prefill(json.dumps({"isNewTopic": True, "title": TITLE}), request)
    if "policy_spec" in asked:
        return "none"
    if "title" in asked.lower():
        wants_json = "json" in asked.lower()
        return _after_prefill(json.dumps({"title": TITLE}) if wants_json else TITLE, request)
    return None


def _after_prefill(text: str, request: MessagesRequest) -> str:
    """An answer continues what the last assistant message began."""
    last = request.turns[-1]
    if last["role"] != "assistant":
        return text
    begun = "".join(block["text"] for block in last["content"] if is_text(block)).strip()
    return text.removeprefix(begun)
