"""One chunk goes, every other byte stays, however the stream is cut."""

import random

import pytest

from crouter.runtime.proxy.usage_chunk import EVENT_BYTES_MAX, UsageChunkFilter

USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n'
OTHERS = (
    b": a comment\n\n",
    b'data: {"choices":[{}],"usage":null}\n\n',
    b'data: {"choices":[{}],"usage":{}}\n\n',
    b'data: {"text":"' + b"x" * (EVENT_BYTES_MAX * 3) + b'"}\n\n',
    b'data: {"choices":[],\ndata: "usage":7}\n\n\n\n',
    b'event: "usage"\ndata: {not json\n\n',
    b"data: [DONE]\n\n",
)


def passed(source: bytes, dice: random.Random, step_max: int) -> bytes:
    kept, position, cut = [], 0, UsageChunkFilter()
    while position < len(source):
        step = dice.randrange(1, step_max)
        kept.append(cut.feed(source[position : position + step]))
        position += step
    return b"".join((*kept, cut.close()))


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_only_the_usage_chunk_is_taken_out(newline: bytes) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed: {seed}")  # noqa: T201
    dice = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
    for step_max in (2_000, 60_000, 1_000_000):
        events = list(OTHERS)
        events.insert(dice.randrange(len(events)), USAGE)
        source = b"".join(events).replace(b"\n", newline)
        assert passed(source, dice, step_max) == b"".join(OTHERS).replace(b"\n", newline)


def test_a_stream_that_breaks_off_is_given_as_far_as_it_came() -> None:
    for end in range(len(OTHERS[1])):
        cut = UsageChunkFilter()
        assert cut.feed(OTHERS[1][:end]) + cut.close() == OTHERS[1][:end]


def test_a_usage_chunk_without_its_empty_line_goes_too() -> None:
    cut = UsageChunkFilter()
    assert cut.feed(OTHERS[1] + USAGE[:-2]) + cut.close() == OTHERS[1]
