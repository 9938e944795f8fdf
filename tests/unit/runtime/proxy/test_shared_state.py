"""State that customers share is named by no body that goes on; what merely talks about it passes."""

import json
import random
from typing import Any

import pytest

from crouter.runtime.proxy.request import Accepted, Refused, read_request
from crouter.runtime.proxy.shared_state import shared_state_in


def request_with(content: Any, **more: Any) -> dict[str, Any]:
    turns = [{"role": "user", "content": content}]
    return {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": turns, **more}


DOCUMENT = {"type": "document", "source": {"type": "file", "file_id": "file_1"}}

REFUSED: dict[str, dict[str, Any]] = {
    "a document": request_with([DOCUMENT]),
    "an image": request_with([{"type": "image", "source": {"type": "file", "file_id": "file_1"}}]),
    "an upload": request_with([{"type": "container_upload", "file_id": "file_1"}]),
    "of another type": request_with([{"type": "made_up_in_2031", "deep": [{"file_id": "file_1"}]}]),
    "an id that is no text": request_with([{"type": "container_upload", "file_id": 7}]),
    "inside a tool's result": request_with([{"type": "tool_result", "content": [DOCUMENT]}]),
    "beside a tool's input": request_with([{"type": "tool_use", "input": {}, "source": {"file_id": "file_1"}}]),
    "in the system text": request_with("hi", system=[DOCUMENT]),
    "a file of OpenAI's form": request_with([{"type": "file", "file": {"file_id": "file_1"}}]),
    "a container": request_with("hi", container="container_1"),
    "a container by id": request_with("hi", container={"id": "container_1"}),
    "a skill": request_with("hi", container={"skills": [{"type": "custom", "skill_id": "skill_1"}]}),
    "skills of a wrong form": request_with("hi", container={"skills": "custom"}),
    "a container of a wrong form": request_with("hi", container=["container_1"]),
    "a new thread": request_with("hi", thread={"type": "create"}),
    "a thread": request_with("hi", thread={"type": "continue", "previous_message_id": "msg_1"}),
}
PASSED: dict[str, dict[str, Any]] = {
    "the word in a text": request_with('what is a "file_id", exactly?'),
    "the word as a text": request_with("file_id"),
    "a tool's input": request_with([{"type": "tool_use", "name": "t", "input": {"file_id": "mine"}}]),
    "a server tool's input": request_with([{"type": "mcp_tool_use", "name": "t", "input": {"a": [{"file_id": "b"}]}}]),
    "a schema": request_with("hi", tools=[{"name": "t", "input_schema": {"properties": {"file_id": {}}}}]),
    "a citation of an answer": request_with([{"type": "text", "text": "a", "citations": [{"file_id": None}]}]),
    "no container": request_with("hi", container=None),
    "a public skill": request_with("hi", container={"skills": [{"type": "anthropic", "skill_id": "pdf"}]}),
    "no thread": request_with("hi", thread=None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_names_shared_state_is_refused(name: str) -> None:
    body = json.dumps(REFUSED[name]).encode()
    refused = read_request(body)
    assert isinstance(refused, Refused)
    assert refused.message == shared_state_in(body)
    assert "_1" not in refused.message, "nothing of the body is repeated"


@pytest.mark.parametrize("name", PASSED)
def test_a_body_that_only_talks_about_it_passes(name: str) -> None:
    assert isinstance(read_request(json.dumps(PASSED[name]).encode()), Accepted)


def test_a_key_is_found_however_its_letters_are_written() -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed: {seed}")  # noqa: T201
    dice = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    plain = json.dumps(REFUSED["an upload"])
    for _ in range(300):
        forms = [
            dice.choice((letter, f"\\u{ord(letter):04x}", f"\\u{ord(letter):04X}")) if dice.random() < 0.5 else letter
            for letter in "file_id"
        ]
        body = plain.replace('"file_id"', f'"{"".join(forms)}"').encode()
        assert json.loads(body) == REFUSED["an upload"]
        assert isinstance(read_request(body), Refused)


@pytest.mark.parametrize("pair", ['"file_id":"f","file_id":null', '"file_id":null,"\\u0066ile_id":"f"'])
def test_a_block_that_gives_the_key_twice_is_refused(pair: str) -> None:
    body = json.dumps(request_with([{"x": 1}])).replace('"x": 1', pair).encode()
    assert isinstance(read_request(body), Refused)


def test_a_body_nested_without_end_is_refused_and_does_not_break_us() -> None:
    nested = "[" * 100_000 + '"file_id"' + "]" * 100_000
    deep = f'{{"model":"m","messages":[{{"role":"user","content":{nested}}}]}}'
    assert isinstance(read_request(deep.encode()), Refused)
