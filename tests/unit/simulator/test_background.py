"""Calls that Claude Code makes on its own."""

import json
from typing import Any

from crouter.simulator.background import background_text
from crouter.simulator.request import MessagesRequest, read_request


def asked(system: str, *messages: dict[str, Any], **more: Any) -> MessagesRequest:
    turns = messages or ({"role": "user", "content": "hello"},)
    fields = {"model": "m", "max_tokens": 9, "system": system, "messages": turns} | more
    request = read_request(json.dumps(fields).encode())
    assert isinstance(request, MessagesRequest)
    return request


def test_a_topic_question_gets_json() -> None:
    text = background_text(asked("You are Claude Code. Answer with isNewTopic and title."))
    assert json.loads(text or "") == {"isNewTopic": True, "title": "Simulated session"}


def test_an_answer_continues_what_was_begun() -> None:
    begun = {"role": "assistant", "content": "{"}
    request = asked("You are Claude Code: isNewTopic", {"role": "user", "content": "x"}, begun)
    assert json.loads("{" + (background_text(request) or ""))["isNewTopic"] is True


def test_a_title_is_a_few_words() -> None:
    assert background_text(asked("You are Claude Code. Write a title.")) == "Simulated session"


def test_a_command_has_no_prefix() -> None:
    assert background_text(asked("You are Claude Code. <policy_spec>")) == "none"


def test_a_conversation_is_no_background_call() -> None:
    assert background_text(asked("Suggest a title as JSON.")) is None
    tools = [{"name": "Bash", "input_schema": {}}]
    assert background_text(asked("You are Claude Code: title", tools=tools)) is None
