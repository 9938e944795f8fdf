"""Attempts are closed once, and waiting for them ends."""

import pytest

from crouter.simulator.ledger import ATTEMPTS_MAX, COMPLETE, Attempt, Ledger, Recorded


def begun(ledger: Ledger) -> Attempt:
    return ledger.begin(request_id="r", started_at="t", method="POST", path="/v1/messages")


async def test_settled_waits_for_the_last_open_attempt() -> None:
    ledger = Ledger()
    await ledger.settled(timeout_s=0.1)
    first, second = begun(ledger), begun(ledger)
    ledger.end(first, COMPLETE, 1.0)
    with pytest.raises(TimeoutError):
        await ledger.settled(timeout_s=0.01)
    ledger.end(second, COMPLETE, 1.0)
    await ledger.settled(timeout_s=0.1)


def test_an_attempt_ends_once() -> None:
    ledger = Ledger()
    attempt = begun(ledger)
    ledger.end(attempt, COMPLETE, 1.0)
    with pytest.raises(AssertionError):
        ledger.end(attempt, COMPLETE, 2.0)


def test_old_attempts_are_forgotten_and_numbers_go_on() -> None:
    ledger = Ledger()
    for _ in range(ATTEMPTS_MAX + 2):
        begun(ledger)
    assert (len(ledger), ledger[0].number, ledger[-1].number) == (
        ATTEMPTS_MAX,
        3,
        ATTEMPTS_MAX + 2,
    )


def test_the_page_never_shows_a_recorded_request() -> None:
    ledger = Ledger()
    begun(ledger).request = Recorded("POST", "/canary", ((b"canary", b"canary"),), b"canary")
    assert "canary" not in str(ledger.wire())
    assert "canary" not in repr(ledger[0])
