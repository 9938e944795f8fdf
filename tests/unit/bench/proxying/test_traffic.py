"""The measured exchanges are what they are said to be."""

import json

from bench.proxying.load import dechunked
from bench.proxying.traffic import EVENTS, workloads


def test_the_small_answer_is_a_message_with_usage() -> None:
    small = workloads()[0]
    assert json.loads(small.content)["usage"]["output_tokens"] == 300
    assert small.answer.endswith(b"\r\n\r\n" + small.content)
    assert 900 < len(small.content) < 1300
    assert 2500 < len(small.body) < 2900


def test_the_stream_has_its_events_and_ends_as_a_stream_does() -> None:
    stream = workloads()[1]
    assert stream.content.count(b"event: ") == EVENTS
    assert stream.content.endswith(b'event: message_stop\ndata: {"type": "message_stop"}\n\n')
    assert dechunked(stream.answer.partition(b"\r\n\r\n")[2]) == stream.content
