"""What the simulated model says and why it stops."""

import json
from typing import Any

from crouter.simulator.answer import Answer, answer_to
from crouter.simulator.request import MessagesRequest, read_request
from crouter.simulator.steering import read_steering

BASH = {
    "name": "Bash",
    "input_schema": {
        "type": "object",
        "properties": {"timeout": {"type": "number"}, "command": {"type": "string"}},
        "required": ["command"],
    },
}


def asked(prompt: Any, **more: Any) -> MessagesRequest:
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    fields = {"model": "claude-x", "max_tokens": 1000, "messages": messages} | more
    request = read_request(json.dumps(fields).encode())
    assert isinstance(request, MessagesRequest)
    return request


def answer(prompt: Any, marks: str = "", **more: Any) -> Answer:
    return answer_to(asked(prompt, **more), read_steering(marks), seed="s", input_tokens=5)


def said(given: Answer) -> str:
    return "".join(block["text"] for block in given.blocks if block["type"] == "text")


def test_the_answer_names_the_model_and_repeats_nothing_of_the_prompt() -> None:
    text = said(answer("canary-1742"))
    assert "simulated answer of claude-x" in text
    assert "canary" not in text


def test_echo_repeats_the_prompt() -> None:
    assert said(answer("simulate: echo\ncanary-1742", "simulate: echo")) == "canary-1742"


def test_the_same_request_gets_the_same_answer() -> None:
    assert answer("hi") == answer("hi")


def test_a_prompt_that_asks_for_an_offered_tool_gets_a_call() -> None:
    given = answer("Use the bash tool to run: echo hello", tools=[BASH])
    assert given.stop_reason == "tool_use"
    assert given.blocks[-1]["name"] == "Bash"
    assert given.blocks[-1]["input"] == {"command": "echo hello"}


def test_an_argument_in_json_is_the_input_itself() -> None:
    given = answer('use the Bash tool with: {"command": "x", "timeout": 3}', tools=[BASH])
    assert given.blocks[-1]["input"] == {"command": "x", "timeout": 3}


def test_a_tool_that_is_not_offered_is_not_called() -> None:
    assert answer("use the Bash tool to run: ls").stop_reason == "end_turn"
    given = answer("use the Bash tool to run: ls", tools=[BASH], tool_choice={"type": "none"})
    assert given.stop_reason == "end_turn"


def test_a_forced_tool_is_called_with_an_input_that_fits_its_schema() -> None:
    given = answer("hi", tools=[BASH], tool_choice={"type": "tool", "name": "Bash"})
    assert given.blocks[-1]["input"] == {"command": "true"}


def conversation(*results: str) -> list[dict[str, Any]]:
    """Two instructions, and as many of them carried out as there are results."""
    prompt = "use the Bash tool to run: echo one\nuse the Bash tool to run: echo two"
    messages: list[dict[str, Any]] = [{"role": "user", "content": prompt}]
    for number, result in enumerate(results):
        use = {"type": "tool_use", "id": f"t{number}", "name": "Bash", "input": {}}
        back = {"type": "tool_result", "tool_use_id": f"t{number}", "content": result}
        messages += [
            {"role": "assistant", "content": [use]},
            {"role": "user", "content": [back]},
        ]
    return messages


def test_instructions_are_carried_out_one_after_the_other() -> None:
    assert answer(conversation(), tools=[BASH]).blocks[0]["input"]["command"] == "echo one"
    second = answer(conversation("one"), tools=[BASH])
    assert second.blocks[0]["input"]["command"] == "echo two"
    last = answer(conversation("one", "two"), tools=[BASH])
    assert last.stop_reason == "end_turn"
    assert said(last).endswith("The tool returned: two")


def test_only_the_beginning_of_a_result_is_quoted() -> None:
    text = said(answer(conversation("one", "x" * 5000), tools=[BASH]))
    assert "x" * 300 in text
    assert "x" * 301 not in text


def test_a_json_schema_is_answered_with_json_that_fits() -> None:
    schema = {
        "type": "object",
        "properties": {"title": {"type": "string"}, "done": {"type": "boolean"}},
        "required": ["title", "done"],
    }
    given = answer("hi", output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(said(given)) == {"title": "Simulated session", "done": False}


def test_max_tokens_cuts_the_text_and_the_count() -> None:
    given = answer("hi", max_tokens=5)
    assert (given.stop_reason, given.output_tokens) == ("max_tokens", 5)
    assert len(said(given)) == 20


def test_max_tokens_of_zero_says_nothing() -> None:
    given = answer("hi", max_tokens=0)
    assert (given.blocks, given.output_tokens, given.stop_reason) == ((), 0, "max_tokens")


def test_a_cut_never_splits_a_character() -> None:
    given = answer("simulate: echo\n" + "é€𝄞" * 20, "simulate: echo", max_tokens=2)
    assert said(given) == "é€"


def test_a_stop_sequence_ends_the_text_before_it() -> None:
    given = answer("simulate: echo\none two three", "simulate: echo", stop_sequences=["th", "tw"])
    assert said(given) == "one "
    assert (given.stop_reason, given.stop_sequence) == ("stop_sequence", "tw")


def test_thinking_is_counted_even_when_it_is_not_shown() -> None:
    shown = answer("hi", thinking={"type": "enabled", "budget_tokens": 1024})
    hidden = answer("hi", thinking={"type": "adaptive", "display": "omitted"})
    assert shown.blocks[0]["thinking"]
    assert hidden.blocks[0]["thinking"] == ""
    assert hidden.blocks[0]["signature"]
    assert shown.thinking_tokens == hidden.thinking_tokens > 0
    assert answer("hi", thinking={"type": "disabled"}).thinking_tokens == 0


def test_web_searches_are_made_and_counted() -> None:
    given = answer("hi", "simulate: web_search 2")
    assert given.web_searches == 2
    assert [b["type"] for b in given.blocks].count("server_tool_use") == 2
    assert len({b["id"] for b in given.blocks if "id" in b}) == 2


def test_a_lone_web_search_tool_is_used() -> None:
    tool = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
    assert answer("Perform a web search", tools=[tool]).web_searches == 1


def test_a_long_answer_is_about_as_long_as_asked() -> None:
    given = answer("hi", "simulate: long 500")
    assert 500 <= given.output_tokens < 530
