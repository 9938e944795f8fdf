"""Results of a batch: whole lines only, each with what it used, under an id that is always the same."""

import json
import random
import uuid
from typing import Any

import pytest

from crouter.runtime.proxy.batch_results import LINE_BYTES_MAX, Lines, LineTooLongError, ResultLines, Used, record_id

RECORD = uuid.UUID(int=7)


def line(name: str = "a", kind: str = "succeeded", **usage: Any) -> bytes:
    message = {
        "model": "claude-haiku-4-5-20251001",
        "content": [{"type": "text", "text": "naïve"}],
        "usage": {"input_tokens": 11, "output_tokens": 7, "service_tier": "batch", **usage},
    }
    result = {"type": kind, **({"message": message} if kind == "succeeded" else {})}
    return json.dumps({"custom_id": name, "result": result}, ensure_ascii=False).encode() + b"\n"


def read(*pieces: bytes) -> list[Lines]:
    reader = ResultLines(RECORD)
    found = [reader.feed(piece) for piece in pieces]
    return [lines for lines in (*found, reader.close()) if lines is not None]


def test_cut_anywhere_the_bytes_and_what_was_used_are_the_same() -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed: {seed}")  # noqa: T201
    dice = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    whole = b"".join((line("a"), b"\n", line("b", output_tokens=0), line("c", "errored"), line("d")[:-1]))
    expected = [used for lines in read(whole) for used in lines.used]
    assert [used.draft.counts.output_tokens for used in expected] == [7, 0, 7]
    for _ in range(100):
        places = sorted(dice.randrange(len(whole)) for _ in range(5))
        pieces = [whole[start:end] for start, end in zip([0, *places], [*places, len(whole)], strict=True)]
        found = read(*pieces)
        assert b"".join(lines.data for lines in found) == whole
        assert [used for lines in found for used in lines.used] == expected


def test_nothing_of_a_line_is_let_go_before_it_is_whole() -> None:
    reader = ResultLines(RECORD)
    assert reader.feed(line()[:-1]) is None
    lines = reader.feed(b"\n" + line("b")[:5])
    assert lines is not None
    assert lines.data == line()


def test_a_result_costs_what_a_batch_costs_whatever_tier_is_named() -> None:
    (lines,) = read(line(service_tier="standard"))
    (used,) = lines.used
    assert used.draft.counts.service_tier == used.draft.options_requested.service_tier == "batch"
    assert used.draft.model_requested == "claude-haiku-4-5-20251001"
    assert used.draft.billable


def test_an_id_is_the_same_at_every_reading_and_another_for_another_batch() -> None:
    (first,), (second,) = read(line("a")), read(line("a"))
    assert first.used == second.used
    assert isinstance(first.used[0], Used)
    assert record_id(RECORD, "a") == first.used[0].id
    others = {record_id(RECORD, "b"), record_id(uuid.UUID(int=8), "a"), record_id(RECORD, "a" * 64)}
    assert len(others | {first.used[0].id}) == 4


@pytest.mark.parametrize(
    ("source", "anomaly"),
    [
        (b"{not json}\n", "batch_line_unreadable"),
        (b"[]\n", "batch_line_unreadable"),
        (b'{"custom_id":"a"}\n', "batch_line_unreadable"),
        (b'{"custom_id":7,"result":{"type":"succeeded"}}\n', "batch_line_unreadable"),
        (b'{"custom_id":"a","result":{"type":"succeeded"}}\n', "answer_incomplete"),
        (b'{"custom_id":"a","result":{"type":"succeeded","message":{}}}\n', "usage_missing"),
        (line(made_up_tokens=5), "unknown:made_up_tokens"),
        (line(input_tokens=-1), "input_tokens"),
    ],
)
def test_what_is_not_understood_is_named_and_passes(source: bytes, anomaly: str) -> None:
    (lines,) = read(source)
    assert lines.data == source
    assert anomaly in lines.anomalies


@pytest.mark.parametrize("kind", ["errored", "canceled", "expired", "made_up_in_2031"])
def test_what_did_not_succeed_used_nothing(kind: str) -> None:
    (lines,) = read(line(kind=kind))
    assert (lines.used, lines.anomalies) == ((), ())


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    reader = ResultLines(RECORD)
    piece = b"x" * (1024 * 1024)
    for _ in range(LINE_BYTES_MAX // len(piece)):
        assert reader.feed(piece) is None
    with pytest.raises(LineTooLongError):
        reader.feed(piece)
