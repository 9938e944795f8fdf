"""Every signal that ends a run is taken as a request."""

import os
import signal

import pytest

from crouter.development.stopping import Stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_asks_for_the_end_and_a_quick_second_one_changes_nothing(number: signal.Signals) -> None:
    # Under nohup a hang-up is ignored from the start, and the run leaves it so.
    signal.signal(number, signal.SIG_DFL)
    stop = Stop()
    stop.listen()
    assert not await stop.wait(0.0)
    os.kill(os.getpid(), number)
    assert await stop.wait(5.0)
    os.kill(os.getpid(), number)
    assert await stop.wait(0.05)
    assert stop.requested


async def test_a_run_under_nohup_outlives_its_terminal() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stop = Stop()
        stop.listen()
        os.kill(os.getpid(), signal.SIGHUP)
        assert not await stop.wait(0.05)
    finally:
        signal.signal(signal.SIGHUP, before)
