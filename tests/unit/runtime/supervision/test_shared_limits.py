"""Shared windows admit what the windows of one process admit, and neither more nor less for many."""

import multiprocessing
import struct
import time
from hashlib import blake2b
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crouter.contract.traffic import Limits
from crouter.runtime.limits import OwnPass, Pass, RateLimits, Reached
from crouter.runtime.supervision.shared_limits import SharedLimits, SharedPass


class Clock:
    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.one_of(st.floats(0, 3), st.floats(0, 4000)),
            st.integers(0, 90),
            st.integers(1, 9),
        ),
        max_size=150,
    )
)
def test_they_decide_like_those_of_one_process(
    tmp_path_factory: pytest.TempPathFactory, visits: list[tuple[str, float, int, int]]
) -> None:
    clock, declared = Clock(), Limits(3, 7, 11, 100, 40, 2)
    alone = RateLimits(declared, clock)
    shared = SharedLimits(declared, clock, tmp_path_factory.mktemp("limits") / "limits")
    held: dict[int, list[tuple[SharedPass, OwnPass]]] = {}
    for number, (key, pause, tokens, lasts) in enumerate(visits):
        clock.seconds += pause
        pairs: list[tuple[Pass, Pass]] = [*held.pop(number, ())]
        for one in chain.from_iterable(pairs):
            one.used(tokens, tokens // 3)
            one.close()
        ours, theirs = shared.admit(key), alone.admit(key)
        if isinstance(theirs, Reached):
            assert isinstance(ours, Reached)
            assert (ours.name, ours.retry_after_seconds) == (theirs.name, theirs.retry_after_seconds)
        else:
            assert isinstance(ours, SharedPass)
            assert ours.standing() == theirs.standing()
            held.setdefault(number + lasts, []).append((ours, theirs))
    held.clear()
    shared.close()


def _visit(path: Path, times: int, admitted: "multiprocessing.Queue[int]") -> None:
    limits = SharedLimits(Limits(100, 10_000, 100_000), time.monotonic, path)
    admitted.put(sum(isinstance(limits.admit("key"), SharedPass) for _ in range(times)))


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
    assert isinstance(limits.admit("kept"), SharedPass)
    for number in range(2_000):
        assert isinstance(limits.admit(number), SharedPass)
    assert isinstance(limits.admit("kept"), Reached)


def test_numbers_that_a_dying_process_left_half_written_are_counted_anew(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "limits"
    limits = SharedLimits(Limits(3, 100, 100), clock, path)
    assert isinstance(limits.admit("key"), SharedPass)
    # The sum of the first window says a million, its steps say one.
    place = limits._place(blake2b(repr("key").encode(), digest_size=16).digest(), clock()) + struct.calcsize("<16sq")
    struct.pack_into("<Q", limits._memory, place + 8, 1_000_000)
    assert isinstance(limits.admit("key"), Reached)
    clock.seconds += 1.5
    assert all(isinstance(limits.admit("key"), SharedPass) for _ in range(2))
    assert isinstance(limits.admit("key"), Reached)


def _hold(path: Path, many: int, told: "multiprocessing.Queue[int]") -> None:
    limits = SharedLimits(Limits(100, 1000, 1000, concurrent_requests=5), time.monotonic, path)
    held = [limits.admit("key") for _ in range(many)]
    told.put(sum(isinstance(one, SharedPass) for one in held))
    time.sleep(60)


def test_requests_of_a_killed_process_are_no_longer_under_way(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[int] = context.Queue()
    path = tmp_path / "limits"
    limits = SharedLimits(Limits(100, 1000, 1000, concurrent_requests=5), time.monotonic, path)
    own = limits.admit("key")
    holder = context.Process(target=_hold, args=(path, 6, told))
    holder.start()
    try:
        assert told.get(timeout=60) == 4
        assert isinstance(limits.admit("key"), Reached)
    finally:
        holder.kill()
        holder.join()
    held = [limits.admit("key") for _ in range(5)]
    assert sum(isinstance(one, SharedPass) for one in held) == 4
    assert isinstance(own, SharedPass)
