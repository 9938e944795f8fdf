"""Reading requests: what is refused, and that nothing makes the reader fall over."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crouter.simulator.errors import Refusal
from crouter.simulator.request import MessagesRequest, human_text, read_request

GOOD: dict[str, Any] = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}


def read(**changes: Any) -> MessagesRequest | Refusal:
    return read_request(json.dumps(GOOD | changes).encode())


@pytest.mark.parametrize("missing", ["model", "max_tokens", "messages"])
def test_a_missing_field_is_named(missing: str) -> None:
    fields = {name: value for name, value in GOOD.items() if name != missing}
    assert read_request(json.dumps(fields).encode()) == Refusal("invalid_request_error", f"{missing}: Field required")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": 3},
        {"model": ""},
        {"max_tokens": -1},
        {"max_tokens": True},
        {"max_tokens": "9"},
        {"messages": []},
        {"messages": "hi"},
        {"messages": [{"role": "robot", "content": "hi"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": [{"text": "no type"}]}]},
        {"messages": [None]},
        {"system": 5},
        {"tools": {"name": "t"}},
        {"tools": [1]},
        {"tools": [{"name": "t", "input_schema": 1}]},
        {"stop_sequences": [1]},
        {"thinking": "yes"},
        {"tool_choice": "auto"},
    ],
)
def test_a_wrong_shape_is_refused(changes: dict[str, Any]) -> None:
    refused = read(**changes)
    assert isinstance(refused, Refusal)
    assert refused.status == 400


def test_a_body_that_is_no_json_is_refused_without_quoting_it() -> None:
    refused = read_request(b'{"model": secret-canary')
    assert isinstance(refused, Refusal)
    assert "canary" not in refused.message


def test_counting_needs_no_max_tokens() -> None:
    fields = {"model": "m", "messages": GOOD["messages"]}
    assert isinstance(read_request(json.dumps(fields).encode(), counting=True), MessagesRequest)


def test_reminders_and_system_turns_are_not_what_the_person_said() -> None:
    asked = read(
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "<system-reminder>\nsimulate: overloaded"},
                    {"type": "text", "text": "hello"},
                ],
            },
            {"role": "system", "content": "# Environment"},
        ]
    )
    assert isinstance(asked, MessagesRequest)
    assert human_text(asked.turns[-1]) == "hello"


words = st.sampled_from(["", "type", "text", "role", "user", "content", "format", "é"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
# The machine may be busy: slow is no finding here.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)


@unhurried
@given(st.dictionaries(st.sampled_from([*GOOD, "tools", "system", "output_config"]), anything))
def test_no_json_object_makes_the_reader_fall_over(fields: dict[str, Any]) -> None:
    read_request(json.dumps(GOOD | fields).encode())


@unhurried
@given(st.binary(max_size=60))
def test_no_bytes_make_the_reader_fall_over(body: bytes) -> None:
    assert isinstance(read_request(body), Refusal)
