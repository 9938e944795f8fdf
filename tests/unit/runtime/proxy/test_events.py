"""The tap: what it reads from a stream, however the bytes are cut, and what it never keeps."""

import json
import sys
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from crouter.runtime.proxy.events import EVENT_BYTES_MAX, AnswerFacts, EventTap, facts_of_message
from crouter.runtime.proxy.usage import UsageCounts

START: dict[str, Any] = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-5-5",
        "content": [],
        "stop_reason": None,
        "usage": {"input_tokens": 25, "cache_read_input_tokens": 7, "output_tokens": 1},
    },
}
BLOCK: dict[str, Any] = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
TEXT: dict[str, Any] = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": 'say "usage": {"output_tokens": 9}\n\nevent: message_stop'},
}
PING: dict[str, Any] = {"type": "ping"}
DELTA: dict[str, Any] = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"input_tokens": 25, "cache_read_input_tokens": 7, "output_tokens": 15},
}
STOP: dict[str, Any] = {"type": "message_stop"}
ERROR: dict[str, Any] = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
WHOLE: list[dict[str, Any]] = [START, BLOCK, PING, TEXT, TEXT, {"type": "content_block_stop", "index": 0}, DELTA, STOP]


def framed(events: list[dict[str, Any]], end: bytes = b"\n", space: bytes = b" ", named: bool = True) -> bytes:
    out = b""
    for event in events:
        if named:
            out += b"event:" + space + event["type"].encode() + end
        out += b"data:" + space + json.dumps(event).encode() + end + end
    return out


def tapped(*chunks: bytes) -> AnswerFacts:
    tap = EventTap()
    for chunk in chunks:
        tap.feed(chunk)
    tap.close()
    return tap.facts


def seen(facts: AnswerFacts) -> tuple[Any, ...]:
    usage = facts.usage
    return (
        usage.counts(),
        usage.output_is_placeholder,
        usage.anomalies,
        usage.unknown_keys,
        facts.model,
        facts.stop_reason,
        facts.content_began,
        facts.stopped,
        facts.error_type,
    )


def cut(data: bytes, places: list[int]) -> list[bytes]:
    return [data[a:b] for a, b in pairwise([0, *sorted(place % (len(data) + 1) for place in places), len(data)])]


EXPECTED = (
    UsageCounts(input_tokens=25, output_tokens=15, cache_read_input_tokens=7),
    False,
    (),
    (),
    "claude-opus-5-5",
    "end_turn",
    True,
    True,
    None,
)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("space", [b" ", b""])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_framing_gives_the_same_facts(end: bytes, space: bytes, named: bool) -> None:
    stream = framed(WHOLE, end, space, named)
    assert seen(tapped(stream)) == EXPECTED
    assert seen(tapped(*(stream[i : i + 1] for i in range(len(stream))))) == EXPECTED


@given(
    places=st.lists(st.integers(0, 5000), max_size=12),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    named=st.booleans(),
)
def test_facts_do_not_depend_on_the_cuts(places: list[int], end: bytes, named: bool) -> None:
    assert seen(tapped(*cut(framed(WHOLE, end, named=named), places))) == EXPECTED


FRAGMENTS = st.sampled_from(
    [
        *(framed([event]) for event in (*WHOLE, ERROR, {"type": "unheard_of", "usage": {"output_tokens": 99}})),
        b"event: message_delta",
        b"event: " + b"n" * 52,
        b"event: " + b"n" * 57,
        b"event: " + b"n" * 58,
        b"event",
        b"data",
        b"data: ",
        b'data: {"type":"message_delta","usage":{"output_tokens":3}}',
        b": comment",
        b"id: 1",
        b"\xef\xbb\xbf",
        b"\n",
        b"\r",
        b"\r\n",
        b"x",
        b"datax: {}",
        b"{",
        b"\xff",
    ]
)


@settings(max_examples=400)
@given(parts=st.lists(FRAGMENTS, max_size=14), places=st.lists(st.integers(0, 5000), max_size=12))
def test_facts_of_any_bytes_do_not_depend_on_the_cuts(parts: list[bytes], places: list[int]) -> None:
    stream = b"".join(parts)
    assert seen(tapped(*cut(stream, places))) == seen(tapped(stream))


@pytest.mark.parametrize(
    "more",
    [b"data: x\n\n", b"\n", b"event: unheard_of\ndata: {}\n\n", b'data: {"type":"ping"}\n\n', b"id: 3\n\n", b"\r\r"],
)
def test_a_read_that_looks_like_one_delta_and_holds_more_is_read_to_its_end(more: bytes) -> None:
    delta = b"event: content_block_delta\ndata: {}\n"
    for stream in (framed([START]) + delta + more, framed([START]) + delta + b"\n" + more + framed([DELTA, STOP])):
        whole = seen(tapped(stream))
        assert seen(tapped(framed([START]), stream.removeprefix(framed([START])))) == whole
        assert seen(tapped(*(stream[i : i + 1] for i in range(len(stream))))) == whole


@pytest.mark.parametrize("size", range(EVENT_BYTES_MAX - 3, EVENT_BYTES_MAX + 25))
def test_the_bound_on_an_event_does_not_depend_on_the_cuts(size: int) -> None:
    padding = size - len(b'data: {"type":"message_delta","usage":{"output_tokens":3},"x":""}')
    line = b'data: {"type":"message_delta","usage":{"output_tokens":3},"x":"' + b"x" * padding + b'"}'
    stream = b"event: message_delta\n" + line + b"\n\n"
    whole = seen(tapped(stream))
    assert seen(tapped(*cut(stream, [30, 5000, 200000]))) == whole
    assert seen(tapped(stream[:-2], stream[-2:])) == whole
    counted = whole[0].output_tokens == 3
    assert counted == (whole[2] == ())
    assert counted == (size - len(b"data: ") + 1 <= EVENT_BYTES_MAX)


def test_a_byte_order_mark_comments_and_unknown_fields_are_passed_over() -> None:
    stream = b"\xef\xbb\xbf: hello\nretry: 10\nid: 3\nnonsense\n" + framed(WHOLE)
    assert seen(tapped(stream)) == EXPECTED
    assert seen(tapped(b"\xef\xbb\xbf" + framed(WHOLE))) == EXPECTED


def test_data_over_several_lines_is_one_event() -> None:
    pretty = json.dumps(DELTA, indent=1).replace("\n", "\ndata: ")
    facts = tapped(f"event: message_delta\ndata: {pretty}\n\n".encode())
    assert facts.usage.counts().output_tokens == 15


def test_a_line_end_cut_in_two_is_one_line_end() -> None:
    pretty = json.dumps(DELTA, indent=1).replace("\n", "\r\ndata: ")
    stream = f"event: message_delta\r\ndata: {pretty}\r\n\r\n".encode()
    assert tapped(*(stream[i : i + 1] for i in range(len(stream)))).usage.counts().output_tokens == 15


@pytest.mark.parametrize("size", range(55, 70))
def test_the_bound_on_a_name_does_not_depend_on_the_cuts(size: int) -> None:
    stream = b"event: ".ljust(size, b"n") + b"\ndata: " + json.dumps(DELTA).encode() + b"\n\n"
    facts = tapped(stream)
    assert seen(tapped(stream[:size], stream[size:])) == seen(facts)
    assert facts.usage.anomalies == (("event_unknown",) if size <= 64 else ())


def test_the_name_may_come_after_the_data() -> None:
    facts = tapped(b"data: " + json.dumps(DELTA).encode() + b"\nevent: message_delta\n\n")
    assert facts.usage.counts().output_tokens == 15


@pytest.mark.parametrize("step", [1 << 14, 1 << 20, 1 << 25])
@pytest.mark.parametrize("name", [b"event: content_block_delta\n", b""])
def test_a_line_of_ten_megabytes_is_not_kept(name: bytes, step: int) -> None:
    long = name + b'data: {"type":"content_block_delta","delta":{"text":"' + b"x" * 10_000_000 + b'"}}\n\n'
    tap = EventTap()
    held = 0
    stream = framed([START]) + long + framed([DELTA, STOP])
    for at in range(0, len(stream), step):
        tap.feed(stream[at : at + step])
        held = max(held, sys.getsizeof(tap._line) + sum(map(len, tap._data)))
    tap.close()
    assert held <= 2 * EVENT_BYTES_MAX + 1000
    assert tap.facts.stopped
    assert tap.facts.usage.counts().output_tokens == 15
    assert tap.facts.usage.anomalies == (() if name else ("event_too_large",))


@pytest.mark.claim("exclude-content")
@pytest.mark.claim("exclude-retention")
def test_no_content_is_reachable_from_the_tap() -> None:
    tap = EventTap()
    stream = framed(WHOLE[:5]).replace(b"say ", b"canary ")
    tap.feed(stream[:-20])
    assert b"canary" not in bytes(tap._line) + b"".join(tap._data)


def test_a_stream_cut_before_its_end_keeps_what_was_reported() -> None:
    facts = tapped(framed(WHOLE[:4]))
    assert facts.usage.counts() == UsageCounts(input_tokens=25, output_tokens=1, cache_read_input_tokens=7)
    assert facts.usage.output_is_placeholder
    assert not facts.stopped


@pytest.mark.parametrize("lost", range(1, 60))
def test_a_last_event_counts_only_if_its_json_is_whole(lost: int) -> None:
    stream = framed([START, DELTA])
    counts = tapped(stream[:-lost]).usage.counts()
    assert counts.output_tokens == (15 if lost <= 2 else 1)
    assert tapped(stream[:-lost]).usage.anomalies == ()


def test_an_error_event_in_a_stream_that_began_with_200() -> None:
    facts = tapped(framed([START, BLOCK, ERROR]))
    assert facts.error_type == "overloaded_error"
    assert not facts.stopped


@pytest.mark.parametrize("data", ['{"type":"error"}', '{"type":"error","error":"x"}', "not json"])
def test_an_error_event_of_another_form_is_an_error(data: str) -> None:
    assert tapped(f"event: error\ndata: {data}\n\n".encode()).error_type == "unnamed"


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"usage":{"output_tokens":3}', b"\xff", b"[" * 100_000])
def test_malformed_events_are_named_and_stop_nothing(data: bytes) -> None:
    facts = tapped(framed([START]) + b"event: message_delta\ndata: " + data + b"\n\n" + framed([DELTA, STOP]))
    assert facts.usage.anomalies == ("event_malformed",)
    assert facts.usage.counts().output_tokens == 15
    assert facts.stopped


def test_an_unknown_event_raises_an_alarm_and_is_not_counted() -> None:
    facts = tapped(framed([START, {"type": "unheard_of", "usage": {"output_tokens": 99}}]))
    assert facts.usage.anomalies == ("event_unknown",)
    assert facts.usage.counts().output_tokens == 1


def test_content_cannot_forge_usage() -> None:
    text = json.dumps(framed([DELTA]).decode().replace("15", "999999"))
    line = b'event: content_block_delta\ndata: {"type":"content_block_delta","text":' + text.encode() + b"}\n\n"
    assert tapped(framed([START]) + line).usage.counts().output_tokens == 1


MESSAGE: dict[str, Any] = {**START["message"], "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"}


def test_facts_of_a_json_answer() -> None:
    assert seen(facts_of_message(json.dumps(MESSAGE).encode())) == (
        UsageCounts(input_tokens=25, output_tokens=1, cache_read_input_tokens=7),
        False,
        (),
        (),
        "claude-opus-5-5",
        "end_turn",
        True,
        True,
        None,
    )


def test_a_json_answer_without_content_began_nothing() -> None:
    assert not facts_of_message(b'{"content": [], "usage": {"input_tokens": 1}}').content_began


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"<html>",
        b"[1]",
        b'{"usage":',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"model": "\xff\xfe", "usage": 1',
    ],
)
def test_a_body_that_is_no_json_object_reports_nothing(body: bytes) -> None:
    facts = facts_of_message(body)
    assert not facts.usage.reported
    assert not facts.stopped


def test_a_body_without_usage_reports_nothing() -> None:
    facts = facts_of_message(b'{"type":"error","error":{"type":"not_found_error","message":"x"}}')
    assert not facts.usage.reported


class TapMachine(RuleBasedStateMachine):
    """Events come one after another, cut anywhere; a model of a few lines knows what has been reported."""

    def __init__(self) -> None:
        super().__init__()
        self.tap = EventTap()
        self.unfed = b""
        self.output: int | None = None
        self.cached: int | None = None
        self.stopped = False

    @rule(output=st.one_of(st.none(), st.integers(0, 10**12)), cached=st.one_of(st.none(), st.integers(0, 10**12)))
    def report(self, output: int | None, cached: int | None) -> None:
        usage = {"output_tokens": output, "cache_read_input_tokens": cached}
        self.unfed += framed([{"type": "message_delta", "delta": {}, "usage": usage}])
        self.output = self.output if output is None else output
        self.cached = self.cached if cached is None else cached

    @rule(event=st.sampled_from([BLOCK, TEXT, PING, ERROR, {"type": "unheard_of", "usage": {"output_tokens": 99}}]))
    def say(self, event: dict[str, Any]) -> None:
        self.unfed += framed([event])

    @rule(value=st.sampled_from([-1, 10**12 + 1, "7", 1.5, True, [], {}]))
    def report_no_count(self, value: object) -> None:
        self.unfed += framed([{"type": "message_delta", "usage": {"output_tokens": value}}])

    @rule()
    def stop(self) -> None:
        self.unfed += framed([STOP])
        self.stopped = True

    @rule(share=st.floats(0, 1))
    def feed(self, share: float) -> None:
        at = round(len(self.unfed) * share)
        self.tap.feed(self.unfed[:at])
        self.unfed = self.unfed[at:]

    def teardown(self) -> None:
        self.tap.feed(self.unfed)
        counts = self.tap.facts.usage.counts()
        assert (counts.output_tokens, counts.cache_read_input_tokens) == (self.output, self.cached)
        assert self.tap.facts.stopped == self.stopped


TestTapMachine = TapMachine.TestCase
