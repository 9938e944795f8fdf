"""The ledger's reader of usage."""

import random

from crouter.simulator.reported import ReportedUsage, merge_usage

STREAM = (
    b'event: message_start\r\ndata:{"message":{"usage":{"input_tokens":5,"output_tokens":1,'
    b'"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":0}}}}\r\n\r\n'
    b": a comment\n\ndata: not json\n\n"
    b'data: {"usage":{"input_tokens":null,"output_tokens":0,"novel":{"units":3}}}\n\n'
)
EXPECTED = {
    "input_tokens": 5,
    "output_tokens": 0,
    "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 0},
    "novel": {"units": 3},
}


def test_the_last_value_that_is_not_null_wins() -> None:
    assert merge_usage({"a": 1, "b": 2}, {"a": 0, "b": None}) == {"a": 0, "b": 2}


def test_a_stream_is_read_however_it_is_cut() -> None:
    seed = random.randrange(2**32)  # noqa: S311  cuts, not secrets
    chance = random.Random(seed)  # noqa: S311
    for _ in range(50):
        reader = ReportedUsage(streamed=True)
        rest = STREAM
        while rest:
            size = chance.randrange(1, 40)
            reader.feed(rest[:size])
            rest = rest[size:]
        reader.finish()
        assert reader.usage == EXPECTED, f"seed {seed}"


def test_an_event_that_was_cut_off_reported_nothing() -> None:
    reader = ReportedUsage(streamed=True)
    reader.feed(STREAM[:100])
    reader.finish()
    assert reader.usage is None


def test_a_truncated_json_body_reported_nothing() -> None:
    for body, usage in ((b'{"usage":{"a":1}}', {"a": 1}), (b'{"usage":{"a":1', None)):
        reader = ReportedUsage(streamed=False)
        reader.feed(body)
        reader.finish()
        assert reader.usage == usage
