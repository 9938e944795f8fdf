"""Replies to requests in order, however odd what they hold."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crouter.simulator.cache import InputUsage
from crouter.simulator.compose import message_reply
from crouter.simulator.errors import Refusal
from crouter.simulator.reply import Reply, Reset, Send, Wait
from crouter.simulator.reported import ReportedUsage
from crouter.simulator.request import human_text, read_request
from crouter.simulator.steering import read_steering

GOOD: dict[str, Any] = {
    "model": "m",
    "max_tokens": 300,
    "messages": [{"role": "user", "content": "use the t tool on: x"}],
}


def replied(pace_s: float = 0.0, **changes: Any) -> Reply:
    asked = read_request(json.dumps(GOOD | changes).encode())
    if isinstance(asked, Refusal):
        return Reply(asked.status)
    steering = read_steering(human_text(asked.messages[-1]))
    return message_reply(asked, steering, InputUsage(5), request_id="req_1", pace_s=pace_s)


def events(reply: Reply) -> list[dict[str, Any]]:
    lines = reply.body.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def test_every_event_is_named_by_its_type_and_blocks_are_closed_in_order() -> None:
    reply = replied(stream=True, thinking={"type": "adaptive"})
    names = [line[7:] for line in reply.body.decode().splitlines() if line.startswith("event: ")]
    assert names == [event["type"] for event in events(reply)]
    opened = [e["index"] for e in events(reply) if e["type"] == "content_block_start"]
    closed = [e["index"] for e in events(reply) if e["type"] == "content_block_stop"]
    assert opened == closed == [0, 1]
    assert "ping" in names


def test_the_start_holds_a_placeholder_and_the_delta_the_cumulative_counters() -> None:
    start, *_, delta, _ = events(replied(stream=True))
    assert start["message"]["usage"]["output_tokens"] == 1
    assert delta["usage"]["input_tokens"] == 5
    assert delta["usage"]["output_tokens"] > 1


def test_a_stream_and_a_message_report_the_same_usage() -> None:
    content = [{"role": "user", "content": "simulate: web_search 3"}]
    read = []
    for stream in (True, False):
        reader = ReportedUsage(streamed=stream)
        reader.feed(replied(stream=stream, messages=content).body)
        reader.finish()
        read.append(reader.usage)
    assert read[0] == read[1] is not None


def test_every_delta_waits_for_its_turn() -> None:
    reply = replied(pace_s=0.015, stream=True)
    deltas = sum(event["type"] == "content_block_delta" for event in events(reply))
    assert [step for step in reply.steps if isinstance(step, Wait)] == [Wait(0.015)] * deltas


def test_a_slow_stream_pings_while_it_waits() -> None:
    content = [{"role": "user", "content": "simulate: slow 2.5s"}]
    reply = replied(stream=True, messages=content)
    waits = [step.seconds for step in reply.steps if isinstance(step, Wait)]
    assert waits == [1.0, 1.0, 0.5]


def test_a_disconnect_keeps_back_the_end() -> None:
    content = [{"role": "user", "content": "simulate: disconnect"}]
    stream = replied(stream=True, messages=content)
    assert isinstance(stream.steps[-1], Reset)
    assert events(stream)[-1]["type"] != "message_stop"
    whole = replied(messages=content)
    assert whole.content_length is not None
    assert sum(len(s.data) for s in whole.steps if isinstance(s, Send)) < whole.content_length


def test_context_edits_are_answered_when_asked_for() -> None:
    asked: dict[str, Any] = {"context_management": {"edits": []}}
    assert json.loads(replied(**asked).body)["context_management"] == {"applied_edits": []}
    assert "context_management" not in json.loads(replied().body)
    assert events(replied(stream=True, **asked))[-2]["context_management"]


SHAPE = ("properties", "required", "$ref", "#", "items", "enum", "anyOf", "minItems", "minLength")
CONTENT = ("type", "text", "tool_result", "thinking", "image", "content", "title", "\ud800")
words = st.sampled_from((*SHAPE, *CONTENT, "object", "array", "string", "t", "a", ""))
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
blocks = st.fixed_dictionaries({"type": words}, optional={"text": anything, "content": anything})
messages = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "system"]),
            "content": st.just("simulate: echo\n\ud800") | st.lists(blocks, max_size=3),
        }
    ),
    min_size=1,
    max_size=4,
)
tools = st.lists(st.fixed_dictionaries({"name": st.just("t")}, optional={"input_schema": anything}), max_size=2)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(
    messages,
    tools,
    anything,
    st.booleans(),
    st.sampled_from([{}, {"type": "any"}, {"type": "tool", "name": "t"}]),
    st.integers(0, 60),
)
def test_no_request_makes_the_simulator_fall_over(
    turns: Any, offered: Any, schema: Any, stream: bool, choice: Any, max_tokens: int
) -> None:
    for content in (turns, GOOD["messages"]):
        reply = replied(
            messages=content,
            tools=offered,
            tool_choice=choice,
            stream=stream,
            max_tokens=max_tokens,
            output_config={"format": {"schema": schema}} if choice == {} else None,
        )
        assert reply.status in (200, 400)
