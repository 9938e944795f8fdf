"""What a chat completion used, read off its body or its stream."""

import json
import random
from typing import Any

import pytest

from crouter.runtime.proxy.attempt import Attempt, Ending, Outcome
from crouter.runtime.proxy.completions import CompletionTap, facts_of_completion, is_usage_chunk
from crouter.runtime.proxy.dialects import COMPLETIONS
from crouter.runtime.proxy.options import ORDINARY

USAGE = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}


def chunk(**more: Any) -> bytes:
    value = {"model": "claude-haiku-4-5", "choices": [{"delta": {"content": "naïve"}}], **more}
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


STREAM = b": hi\n\n" + chunk() + chunk(usage=None) + chunk(choices=[], usage=USAGE) + b"data: [DONE]\n\n"


def counts_of(usage: object) -> tuple[int | None, int | None, int | None]:
    counts = facts_of_completion(json.dumps({"usage": usage}).encode()).usage.counts()
    return counts.input_tokens, counts.cache_read_input_tokens, counts.output_tokens


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, (100, None, 7)),
        ({"prompt_tokens_details": None, "completion_tokens_details": None}, (100, None, 7)),
        ({"prompt_tokens_details": {"cached_tokens": 0}}, (100, None, 7)),
        ({"prompt_tokens_details": {"cached_tokens": 60}}, (40, 60, 7)),
        ({"prompt_tokens_details": {"cached_tokens": 100}}, (0, 100, 7)),
        ({"prompt_tokens_details": {"cached_tokens": 101}}, (100, None, 7)),
        ({"prompt_tokens_details": {"cached_tokens": True}}, (100, None, 7)),
        ({"completion_tokens_details": {"reasoning_tokens": 5}}, (100, None, 7)),
        ({"completion_tokens": 0}, (100, None, 0)),
    ],
)
def test_counts_are_disjoint_and_nothing_is_counted_twice(more: dict[str, Any], expected: tuple[int, ...]) -> None:
    assert counts_of({**USAGE, **more}) == expected


def test_what_is_not_understood_is_named() -> None:
    facts = facts_of_completion(json.dumps({"usage": {**USAGE, "prompt_tokens": -1, "made_up": 3}}).encode())
    assert facts.usage.anomalies == ("input_tokens",)
    assert facts.usage.unknown_keys == ("made_up",)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_stream_is_read_alike_however_it_is_cut(newline: bytes) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed: {seed}")  # noqa: T201
    dice = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    source = STREAM.replace(b"\n", newline)
    for _ in range(100):
        tap, position = CompletionTap(), 0
        while position < len(source):
            step = dice.randrange(1, 60)
            tap.feed(source[position : position + step])
            position += step
        tap.close()
        facts = tap.facts
        assert (facts.stopped, facts.model, facts.content_began) == (True, "claude-haiku-4-5", True)
        assert facts.usage.counts().input_tokens == 100
        assert facts.usage.anomalies == ()


@pytest.mark.parametrize(
    ("source", "stopped"),
    [(STREAM, True), (STREAM[:-2], True), (STREAM[: STREAM.index(b"data: [DONE]")], False), (b"", False)],
)
def test_a_stream_without_its_last_word_is_not_whole(source: bytes, stopped: bool) -> None:
    tap = CompletionTap()
    tap.feed(source)
    tap.close()
    assert tap.facts.stopped is stopped


def test_a_giant_event_is_passed_over_and_named_only_if_it_spoke_of_usage() -> None:
    for key, anomalies in (("x", ()), ("usage", ("event_too_large",))):
        tap = CompletionTap()
        tap.feed(b'data: {"model":"m","%s":{"a":"' % key.encode())
        tap.feed(b"y" * 300_000)
        tap.feed(b'"}}\n\n' + STREAM)
        assert tap.facts.stopped
        assert tap.facts.usage.anomalies == anomalies


def test_an_error_inside_a_stream_is_an_error() -> None:
    attempt = Attempt("claude-haiku-4-5", ORDINARY, COMPLETIONS)
    attempt.head(200, "text/event-stream", None)
    attempt.body(chunk(choices=[], usage=USAGE) + b'data: {"error":{"type":"overloaded_error"}}\n\n')
    draft = attempt.end(Ending.UPSTREAM_CLOSED)
    assert draft is not None
    assert draft.outcome is Outcome.UPSTREAM_ERROR


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"null", b"\xff", b"[" * 100_000])
def test_a_body_that_is_none_reports_nothing(body: bytes) -> None:
    facts = facts_of_completion(body)
    assert not facts.usage.reported
    assert not facts.stopped


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"choices":[],"usage":{}}', True),
        (b'{"choices" : [ ] , "usage":{"a":1}}', True),
        (b'{"usage":{}}', True),
        (b'{"choices":[],"usage":null}', False),
        (b'{"choices":[{}],"usage":{}}', False),
        (b'{"choices":[]}', False),
        (b"[DONE]", False),
    ],
)
def test_a_usage_chunk_is_told_from_others(data: bytes, expected: bool) -> None:
    assert is_usage_chunk(data) is expected
