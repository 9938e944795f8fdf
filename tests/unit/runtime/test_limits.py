from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.contract.traffic import Limits
from crouter.runtime.limits import RateLimits, Reached


class Clock:
    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.claim("use-usage")
def test_the_limit_is_reached_exactly_and_says_which_and_how_long() -> None:
    clock = Clock()
    limits = RateLimits(Limits(3, 100, 1000), clock)
    assert [limits.admit("a") for _ in range(3)] == [None, None, None]
    reached = limits.admit("a")
    assert isinstance(reached, Reached)
    assert reached.name == "3 requests per minute"
    clock.seconds += reached.retry_after_seconds - 0.01
    assert limits.admit("a") is not None
    clock.seconds += 0.02
    assert limits.admit("a") is None


@pytest.mark.claim("use-usage")
def test_keys_do_not_share_a_window_and_refused_requests_do_not_count() -> None:
    clock = Clock()
    limits = RateLimits(Limits(1, 2, 1000), clock)
    assert limits.admit("a") is None
    for _ in range(10):
        assert limits.admit("a") is not None
    assert limits.admit("b") is None
    clock.seconds += 62
    assert limits.admit("a") is None
    clock.seconds += 62
    reached = limits.admit("a")
    assert reached is not None
    assert reached.name == "2 requests per hour"


@given(st.lists(st.floats(0, 40), max_size=200))
def test_no_sixty_seconds_ever_hold_more_than_the_limit(pauses: list[float]) -> None:
    clock = Clock()
    limits = RateLimits(Limits(5, 10_000, 100_000), clock)
    admitted: deque[float] = deque()
    for pause in pauses:
        clock.seconds += pause
        while admitted and admitted[0] <= clock.seconds - 60:
            admitted.popleft()
        if limits.admit("a") is None:
            admitted.append(clock.seconds)
        assert len(admitted) <= 5


@given(st.lists(st.floats(0, 40), max_size=100))
def test_whoever_waits_as_told_is_admitted(pauses: list[float]) -> None:
    clock = Clock()
    limits = RateLimits(Limits(3, 8, 20), clock)
    for pause in pauses:
        clock.seconds += pause
        reached = limits.admit("a")
        if reached is not None:
            clock.seconds += reached.retry_after_seconds + 0.001
            assert limits.admit("a") is None


def test_the_longest_unused_key_is_forgotten_beyond_the_bound() -> None:
    clock = Clock()
    limits = RateLimits(Limits(1, 10, 100), clock, entries_max=2)
    for key in ("a", "b", "a", "c"):
        limits.admit(key)
    assert limits.admit("a") is not None
    assert limits.admit("b") is None
