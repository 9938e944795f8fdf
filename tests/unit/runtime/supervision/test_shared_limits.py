"""Shared windows admit what the windows of one process admit, and neither more nor less for many."""

import multiprocessing
import struct
import time
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crouter.contract.traffic import Limits
from crouter.runtime.limits import RateLimits
from crouter.runtime.supervision.shared_limits import SharedLimits


class Clock:
    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.one_of(st.floats(0, 3), st.floats(0, 4000))), max_size=150))
def test_they_decide_like_those_of_one_process(
    tmp_path_factory: pytest.TempPathFactory, visits: list[tuple[str, float]]
) -> None:
    clock, declared = Clock(), Limits(3, 7, 11)
    alone = RateLimits(declared, clock)
    shared = SharedLimits(declared, clock, tmp_path_factory.mktemp("limits") / "limits")
    for key, pause in visits:
        clock.seconds += pause
        assert shared.admit(key) == alone.admit(key)
    shared.close()


def _visit(path: Path, times: int, admitted: "multiprocessing.Queue[int]") -> None:
    limits = SharedLimits(Limits(100, 10_000, 100_000), time.monotonic, path)
    admitted.put(sum(limits.admit("key") is None for _ in range(times)))


@pytest.mark.claim("use-usage")
def test_four_processes_admit_together_what_one_may(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    admitted: multiprocessing.Queue[int] = context.Queue()
    visitors = [context.Process(target=_visit, args=(tmp_path / "limits", 90, admitted)) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    counts = [admitted.get(timeout=60) for _ in visitors]
    for visitor in visitors:
        visitor.join()
    assert sum(counts) == 100, counts


def test_a_key_that_is_pushed_out_begins_anew_and_others_stay(tmp_path: Path) -> None:
    clock = Clock()
    limits = SharedLimits(Limits(1, 10, 10), clock, tmp_path / "limits")
    assert limits.admit("kept") is None
    for number in range(2_000):
        assert limits.admit(number) is None
    assert limits.admit("kept") is not None


def test_numbers_that_a_dying_process_left_half_written_are_counted_anew(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "limits"
    limits = SharedLimits(Limits(3, 100, 100), clock, path)
    assert limits.admit("key") is None
    # The sum of the first window says a million, its steps say one.
    place = limits._place(blake2b(repr("key").encode(), digest_size=16).digest(), clock()) + struct.calcsize("<16sq")
    struct.pack_into("<I", limits._memory, place + 8, 1_000_000)
    assert limits.admit("key") is not None
    clock.seconds += 1.5
    assert [limits.admit("key") for _ in range(2)] == [None, None]
    assert limits.admit("key") is not None
