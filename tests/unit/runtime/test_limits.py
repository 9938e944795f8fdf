import uuid
from collections import deque
from collections.abc import Hashable
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.contract.traffic import Limits
from crouter.runtime.limit_standing import Figure, Standing
from crouter.runtime.limits import OwnPass, RateLimits, Reached


def passes(limits: RateLimits, key: Hashable) -> bool:
    return not isinstance(limits.admit(key), Reached)


def admitted(limits: RateLimits, key: str) -> OwnPass:
    found = limits.admit(key)
    assert isinstance(found, OwnPass)
    return found


class Clock:
    def __init__(self) -> None:
        self.seconds = 5000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.claim("use-usage")
def test_the_limit_is_reached_exactly_and_says_which_and_how_long() -> None:
    clock = Clock()
    limits = RateLimits(Limits(3, 100, 1000), clock)
    assert all(passes(limits, "a") for _ in range(3))
    reached = limits.admit("a")
    assert isinstance(reached, Reached)
    assert reached.name == "3 requests per minute"
    clock.seconds += reached.retry_after_seconds - 0.01
    assert not passes(limits, "a")
    clock.seconds += 0.02
    assert passes(limits, "a")


@pytest.mark.claim("use-usage")
def test_keys_do_not_share_a_window_and_refused_requests_do_not_count() -> None:
    clock = Clock()
    limits = RateLimits(Limits(1, 2, 1000), clock)
    assert passes(limits, "a")
    for _ in range(10):
        assert not passes(limits, "a")
    assert passes(limits, "b")
    clock.seconds += 62
    assert passes(limits, "a")
    clock.seconds += 62
    reached = limits.admit("a")
    assert isinstance(reached, Reached)
    assert reached.name == "2 requests per hour"


def test_an_id_is_one_key_whatever_object_it_is_and_the_rest_of_a_key_counts() -> None:
    limits, first, second = RateLimits(Limits(1, 100, 1000), Clock()), uuid.uuid4(), uuid.uuid4()
    assert passes(limits, (first, True))
    assert not passes(limits, (uuid.UUID(str(first)), True))
    assert passes(limits, (first, False))
    assert passes(limits, (second, True))


def test_a_moment_is_told_the_same_however_many_were_told_before() -> None:
    standing = Standing(Figure(3, 2, 0.0))
    for seconds in (*range(3000), *range(3000)):
        told = dict(standing.headers(float(seconds)))["anthropic-ratelimit-requests-reset"]
        assert datetime.fromisoformat(told).timestamp() == seconds


@given(st.lists(st.floats(0, 40), max_size=200))
def test_no_sixty_seconds_ever_hold_more_than_the_limit(pauses: list[float]) -> None:
    clock = Clock()
    limits = RateLimits(Limits(5, 10_000, 100_000), clock)
    admitted: deque[float] = deque()
    for pause in pauses:
        clock.seconds += pause
        while admitted and admitted[0] <= clock.seconds - 60:
            admitted.popleft()
        if passes(limits, "a"):
            admitted.append(clock.seconds)
        assert len(admitted) <= 5


@given(st.lists(st.floats(0, 40), max_size=100))
def test_whoever_waits_as_told_is_admitted(pauses: list[float]) -> None:
    clock = Clock()
    limits = RateLimits(Limits(3, 8, 20), clock)
    for pause in pauses:
        clock.seconds += pause
        reached = limits.admit("a")
        if isinstance(reached, Reached):
            clock.seconds += reached.retry_after_seconds + 0.001
            assert passes(limits, "a")


def test_the_longest_unused_key_is_forgotten_beyond_the_bound() -> None:
    clock = Clock()
    limits = RateLimits(Limits(1, 10, 100), clock, entries_max=2)
    for key in ("a", "b", "a", "c"):
        limits.admit(key)
    assert not passes(limits, "a")
    assert passes(limits, "b")


TOKENS = Limits(1000, 10_000, 100_000, input_tokens_per_minute=100, output_tokens_per_minute=40)


def test_reported_tokens_hold_the_next_request_back_until_they_have_left() -> None:
    clock = Clock()
    limits = RateLimits(TOKENS, clock)
    first, second = admitted(limits, "a"), admitted(limits, "a")
    first.used(60, 10)
    assert passes(limits, "a")
    clock.seconds += 30
    second.used(60, 10)
    reached = limits.admit("a")
    assert isinstance(reached, Reached)
    assert reached.limit == "input_tokens_per_minute"
    clock.seconds += reached.retry_after_seconds - 0.01
    assert not passes(limits, "a")
    clock.seconds += 0.02
    # The first sixty are gone, the others are still there.
    standing = admitted(limits, "a").standing()
    assert standing.input_tokens is not None
    assert (standing.input_tokens.limit, standing.input_tokens.remaining) == (100, 40)
    admitted(limits, "a").used(0, 40)
    reached = limits.admit("a")
    assert isinstance(reached, Reached)
    assert reached.limit == "output_tokens_per_minute"


def test_so_many_are_under_way_at_once_and_no_place_outlives_its_request() -> None:
    limits = RateLimits(replace(TOKENS, concurrent_requests=3), Clock())
    held = [admitted(limits, "a") for _ in range(3)]
    reached = limits.admit("a")
    assert isinstance(reached, Reached)
    assert (reached.limit, reached.name) == ("concurrent_requests", "3 requests at once")
    held[0].close()
    held[0].close()
    held[0] = admitted(limits, "a")
    assert not passes(limits, "a")
    # Dropped without being closed, as by a crash:
    held.clear()
    held = [admitted(limits, "a") for _ in range(3)]
    assert not passes(limits, "a")


def test_limits_of_a_key_take_the_place_of_the_declared_ones_at_once() -> None:
    clock = Clock()
    limits = RateLimits(Limits(2, 100, 1000), clock)
    raised = Limits(4, 100, 1000)
    assert [passes(limits, "a") for _ in range(3)] == [True, True, False]
    assert [not isinstance(limits.admit("a", raised), Reached) for _ in range(3)] == [True, True, False]
    assert not passes(limits, "a")


def test_a_standing_tells_of_the_window_that_fills_up_first() -> None:
    clock = Clock()
    limits = RateLimits(Limits(50, 60, 1000), clock)
    for left in (49, 48, 47):
        figure = admitted(limits, "a").standing().requests
        assert (figure.limit, figure.remaining) == (50, left)
        assert 60 <= figure.reset_seconds <= 62
    for _ in range(40):
        admitted(limits, "a")
    clock.seconds += 62
    figure = admitted(limits, "a").standing().requests
    assert (figure.limit, figure.remaining) == (60, 60 - 44)
