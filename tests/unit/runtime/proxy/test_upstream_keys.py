import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crouter.runtime.proxy.upstream_keys import (
    LIMIT_SECONDS,
    LIMIT_SECONDS_MAX,
    MODELS_MAX,
    REFUSALS,
    Outcome,
    Report,
    Taken,
    Unavailable,
    UpstreamKeys,
    report_answer,
)
from crouter.runtime.secret import Secret

ANSWERED, REFUSED, FAULTY, UNKNOWN = (
    Report(outcome) for outcome in (Outcome.ANSWERED, Outcome.REFUSED, Outcome.FAULTY, Outcome.UNKNOWN)
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def keys(count: int = 2) -> tuple[UpstreamKeys, Clock]:
    clock = Clock()
    return UpstreamKeys([Secret(f"secret {n}") for n in range(count)], clock), clock


def taken(made: UpstreamKeys, without: tuple[str, ...] = (), model: str = "m") -> Taken:
    found = made.take(without, model)
    assert isinstance(found, Taken)
    return found


def tried(made: UpstreamKeys, report: Report, label: str = "key_1", model: str = "m") -> None:
    others = tuple(key.label for key in made.health() if key.label != label)
    made.give_back(taken(made, others, model), report)


def waits(made: UpstreamKeys, without: tuple[str, ...] = (), model: str = "m") -> int:
    found = made.take(without, model)
    assert isinstance(found, Unavailable)
    return found.retry_after_seconds


def states(made: UpstreamKeys) -> list[str]:
    return [key.state for key in made.health()]


@pytest.mark.parametrize(
    ("status", "error_type", "retry_after", "report"),
    [
        (200, None, None, ANSWERED),
        (400, "invalid_request_error", None, ANSWERED),
        (404, "not_found_error", None, ANSWERED),
        (413, "request_too_large", None, ANSWERED),
        (401, "authentication_error", None, REFUSED),
        (401, None, None, REFUSED),
        (402, "billing_error", None, REFUSED),
        (403, "permission_error", None, ANSWERED),
        (403, None, None, ANSWERED),
        (403, "authentication_error", None, REFUSED),
        (429, "rate_limit_error", "17", Report(Outcome.LIMITED, 17)),
        (429, "rate_limit_error", None, Report(Outcome.LIMITED)),
        (429, None, "Wed, 21 Oct 2026 07:28:00 GMT", Report(Outcome.LIMITED)),
        (429, None, "-1", Report(Outcome.LIMITED)),
        (429, None, "²", Report(Outcome.LIMITED)),
        (429, None, "9" * 400, Report(Outcome.LIMITED)),
        (500, "api_error", None, FAULTY),
        (529, "overloaded_error", None, FAULTY),
        (599, None, None, FAULTY),
    ],
)
def test_what_an_answer_tells_about_its_key(
    status: int, error_type: str | None, retry_after: str | None, report: Report
) -> None:
    assert report_answer(status, error_type, retry_after) == report


def test_the_least_busy_key_is_taken_and_equals_take_turns() -> None:
    made, _ = keys(3)
    first = [taken(made) for _ in range(3)]
    assert [key.label for key in first] == ["key_1", "key_2", "key_3"]
    made.give_back(first[1], ANSWERED)
    assert taken(made).label == "key_2"
    for key in (first[0], first[2]):
        made.give_back(key, ANSWERED)
    assert [taken(made).label for _ in range(2)] == ["key_1", "key_3"]


def test_a_key_is_named_by_its_place_and_shown_without_its_value() -> None:
    made, _ = keys()
    key = taken(made)
    assert key.key.reveal() == "secret 0"
    assert "secret" not in repr(key)
    assert "secret" not in repr(list(made.health()))


def test_a_refused_key_rests_long_and_comes_back_after_one_probe() -> None:
    made, clock = keys()
    for _ in range(REFUSALS.failures_min):
        tried(made, REFUSED)
    assert states(made) == ["refused", "healthy"]
    assert {taken(made, model=str(n)).label for n in range(20)} == {"key_2"}
    clock.now += REFUSALS.open_seconds
    assert states(made)[0] == "probing"
    probe = taken(made, ("key_2",))
    assert waits(made, ("key_2",)) == 1
    made.give_back(probe, ANSWERED)
    assert states(made)[0] == "healthy"


def test_single_refusals_between_answers_do_not_close_a_key_for_all() -> None:
    made, _ = keys(1)
    for _ in range(20):
        tried(made, REFUSED)
        tried(made, REFUSED)
        tried(made, ANSWERED)
    assert states(made) == ["healthy"]


def test_a_limit_rests_as_long_as_the_upstream_says_for_its_model_only() -> None:
    made, clock = keys(1)
    tried(made, Report(Outcome.LIMITED, 17))
    assert waits(made) == 17
    assert states(made) == ["resting"]
    tried(made, ANSWERED, model="another")
    clock.now += 16.5
    assert waits(made) == 1
    clock.now += 0.5
    tried(made, ANSWERED)
    assert states(made) == ["healthy"]


@pytest.mark.parametrize(("said", "rests"), [(None, LIMIT_SECONDS), (0.0, 0.0), (10.0**9, LIMIT_SECONDS_MAX)])
def test_a_limit_that_says_nothing_or_too_much_has_a_time_of_ours(said: float | None, rests: float) -> None:
    made, clock = keys(1)
    tried(made, Report(Outcome.LIMITED, said))
    if rests:
        assert waits(made) == rests
    clock.now += rests
    tried(made, ANSWERED)


def test_faults_in_a_row_open_the_circuit_of_one_model_and_key_for_a_moment() -> None:
    made, clock = keys()
    for _ in range(3):
        tried(made, FAULTY)
    assert {taken(made).label for _ in range(5)} == {"key_2"}
    tried(made, ANSWERED, model="another")
    clock.now += 1
    tried(made, FAULTY)
    assert waits(made, ("key_2",)) == 2


def test_when_all_rest_the_one_that_rests_shortest_says_when() -> None:
    made, _ = keys(3)
    for label, seconds in (("key_1", 30.0), ("key_2", 7.2), ("key_3", 50.0)):
        tried(made, Report(Outcome.LIMITED, seconds), label)
    assert waits(made) == 8
    assert waits(made, ("key_2",)) == 30
    assert waits(made, ("key_1", "key_2", "key_3")) == 8


def test_a_probe_whose_client_left_tells_nothing() -> None:
    made, clock = keys(1)
    for _ in range(3):
        tried(made, FAULTY)
    clock.now += 1
    tried(made, UNKNOWN)
    tried(made, ANSWERED)
    assert states(made) == ["healthy"]


def test_a_key_is_given_back_once() -> None:
    made, _ = keys()
    key = taken(made)
    made.give_back(key, ANSWERED)
    with pytest.raises(AssertionError):
        made.give_back(key, ANSWERED)


def test_what_is_remembered_of_models_is_bounded() -> None:
    made, _ = keys(1)
    for n in range(3 * MODELS_MAX):
        tried(made, FAULTY, model=f"model {n}")
    (key,) = made._keys.values()
    assert len(key.models) == MODELS_MAX
    for n in range(MODELS_MAX):
        tried(made, ANSWERED, model=f"model {n}")
    assert key.models == {}


class Keys(RuleBasedStateMachine):
    """Any order of attempts, answers and time, against what each answer promised."""

    def __init__(self) -> None:
        super().__init__()
        self.made, self.clock = keys(3)
        self.under_way: list[Taken] = []
        self.resting: dict[tuple[str, str], float] = {}

    @rule(model=st.sampled_from("abc"), without=st.sets(st.sampled_from(["key_1", "key_2", "key_3"])))
    def take(self, model: str, without: set[str]) -> None:
        found = self.made.take(without, model)
        if isinstance(found, Unavailable):
            assert found.retry_after_seconds >= 1
            return
        assert found.label not in without
        assert self.clock.now >= self.resting.get((found.label, model), 0), "a key that rests was taken"
        for other in self.under_way:
            if other.label == found.label:
                assert not (other.probes_key and found.probes_key), "two probes of a key"
                assert not (other.model == model and other.probes_model and found.probes_model), "two probes"
        self.under_way.append(found)

    @precondition(lambda self: self.under_way)
    @rule(
        index=st.integers(0, 10**6),
        outcome=st.sampled_from(Outcome),
        seconds=st.none() | st.floats(0, 100, allow_nan=False),
    )
    def give_back(self, index: int, outcome: Outcome, seconds: float | None) -> None:
        key = self.under_way.pop(index % len(self.under_way))
        self.made.give_back(key, Report(outcome, seconds))
        if outcome is Outcome.LIMITED:
            until = self.clock.now + (LIMIT_SECONDS if seconds is None else seconds)
            self.resting[key.label, key.model] = max(until, self.resting.get((key.label, key.model), 0))

    @rule(seconds=st.floats(0, 400, allow_nan=False))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def counts_are_what_is_under_way(self) -> None:
        for key in self.made.health():
            assert key.in_flight == sum(taken.label == key.label for taken in self.under_way)

    @invariant()
    def with_nothing_under_way_every_key_comes_back(self) -> None:
        if not self.under_way:
            later, self.clock.now = self.clock.now, self.clock.now + 10_000
            for label in ("key_1", "key_2", "key_3"):
                found = self.made._keys[label]
                assert found.may_pass("a", self.clock.now)
            self.clock.now = later


TestKeys = Keys.TestCase
TestKeys.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
