"""What can become of a request: every move from every state, and nothing else."""

import itertools
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from crouter.contract.retention import Period
from crouter.runtime.requests import states
from crouter.runtime.requests.states import NotPossibleError, Request

DEADLINE = Period("P30D", months=0, days=30, seconds=0)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOVES: dict[str, Callable[[Request], Request]] = {
    "acknowledged": lambda request: states.acknowledged(request, NOW),
    "extended": lambda request: states.extended(request, "complex", NOW, DEADLINE),
    "answered": lambda request: states.answered(request, NOW),
    "refused": lambda request: states.refused(request, "excessive", NOW),
    "withdrawn": lambda request: states.withdrawn(request, NOW),
}
POSSIBLE = {
    "received": {"acknowledged", "extended", "answered", "refused", "withdrawn"},
    "acknowledged": {"extended", "answered", "refused", "withdrawn"},
    "extended": {"answered", "refused", "withdrawn"},
}


def in_state(state: str) -> Request:
    request = states.received(uuid.uuid4(), "copy", "contact", NOW, DEADLINE, told=False)
    return request if state == "received" else MOVES[state](request)


@pytest.mark.claim("right-deadline", by="request_register")
@pytest.mark.parametrize(("state", "move"), tuple(itertools.product(("received", *MOVES), MOVES)))
def test_right_deadline__each_move_is_possible_from_its_states_only(state: str, move: str) -> None:
    request = in_state(state)
    if move in POSSIBLE.get(state, set()):
        after = MOVES[move](request)
        assert after.state == move
        assert after.is_open == (move in states.OPEN)
        assert (after.closed_at is None) == after.is_open
    else:
        with pytest.raises(NotPossibleError):
            MOVES[move](request)


def test_a_request_on_the_page_is_acknowledged_by_the_page() -> None:
    request = states.received(uuid.uuid4(), "copy", "page", NOW, DEADLINE, told=True)
    assert (request.state, request.acknowledged_at) == ("acknowledged", NOW)


@pytest.mark.parametrize("reason", ["", "excessive", "because"])
def test_an_extension_has_a_reason_of_the_law(reason: str) -> None:
    with pytest.raises(NotPossibleError, match="complex, many_requests"):
        states.extended(in_state("received"), reason, NOW, DEADLINE)


@pytest.mark.parametrize("reason", ["", "complex", "he is rude"])
def test_a_refusal_has_a_reason_of_the_law(reason: str) -> None:
    with pytest.raises(NotPossibleError, match="identity_not_proven"):
        states.refused(in_state("received"), reason, NOW)


def test_an_extension_is_told_before_the_deadline_and_moves_it_once() -> None:
    request = in_state("acknowledged")
    with pytest.raises(NotPossibleError, match="before"):
        states.extended(request, "complex", request.due_at, DEADLINE)
    longer = states.extended(request, "complex", request.due_at - timedelta(seconds=1), DEADLINE)
    assert longer.due_at > request.due_at
    assert longer.warned == 0
    with pytest.raises(NotPossibleError, match="once"):
        states.extended(longer, "complex", NOW, DEADLINE)
