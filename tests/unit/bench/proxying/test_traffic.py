"""The measured exchanges are what they are said to be."""

import json

import pytest

from bench.proxying.dialects import Dialect, said
from bench.proxying.traffic import EVENTS, JSON, LARGE, PACED, STAMP, STREAM, text_of, workloads


def test_the_small_answer_is_a_message_with_usage() -> None:
    small = workloads()[JSON]
    assert json.loads(small.content)["usage"]["output_tokens"] == 300
    assert small.answer.endswith(b"\r\n\r\n" + small.content)
    assert 900 < len(small.content) < 1300
    assert 2500 < len(small.body) < 2900


def test_the_large_request_has_204_kilobytes() -> None:
    assert abs(len(workloads()[LARGE].body) - 204 * 1024) < 200


@pytest.mark.parametrize("name", [STREAM, PACED])
def test_a_stream_has_its_events_and_ends_as_a_stream_does(name: str) -> None:
    stream = workloads()[name]
    assert stream.content.count(b"event: ") == EVENTS
    assert stream.content.endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert stream.answer.endswith(b"0\r\n\r\n")


def test_a_paced_stream_is_sent_in_one_piece_for_each_event() -> None:
    paced = workloads()[PACED]
    assert len(paced.pieces) == EVENTS
    assert sum(paced.pieces) == len(paced.answer)
    assert paced.content.count(STAMP.encode()) == EVENTS - 5


def test_requests_are_told_apart_by_their_length_and_by_their_name() -> None:
    found = workloads()
    assert len({len(workload.body) for workload in found.values()}) == len(found)
    for name, workload in found.items():
        assert name.encode() in workload.body
        assert not [other for other in found if other != name and other.encode() in workload.body]


@pytest.mark.parametrize("name", [JSON, LARGE, STREAM, PACED])
def test_what_an_answer_says_is_read_in_either_shape(name: str) -> None:
    workload = workloads()[name]
    assert said(workload.content) == text_of(workload)
    text = text_of(workload)
    half = len(text) // 2
    chunks = [{"choices": [{"delta": {"content": part}}]} for part in (text[:half], text[half:])]
    events = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in (*chunks, {"choices": [{"delta": {}}]}))
    assert said((events + "data: [DONE]\n\n").encode()) == text


def test_a_request_in_openais_shape_asks_for_the_same() -> None:
    workload = workloads()[STREAM]
    request = Dialect(path="/openai", openai_model="model").request(workload, 1, "key")
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    asked, original = json.loads(body), json.loads(workload.body)
    assert asked["stream"] is True
    assert [message["content"] for message in asked["messages"]] == [
        original["system"],
        original["messages"][0]["content"],
    ]
