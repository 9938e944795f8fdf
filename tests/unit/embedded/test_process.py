import os
import signal
import time
from pathlib import Path

import pytest

from crouter.embedded.process import ServerProcess


def test_a_program_that_cannot_be_started_is_an_error_of_the_caller() -> None:
    with pytest.raises(FileNotFoundError):
        ServerProcess(["/no/such/program"], _nowhere())


def test_the_status_is_unknown_until_the_end_and_then_kept() -> None:
    process = ServerProcess(["sh", "-c", "sleep 0.2; exit 7"], _nowhere())
    assert process.status is None
    assert process.wait(10)
    assert process.status == 7


def test_stop_interrupts_first(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    ready = tmp_path / "ready"
    script = f"trap 'echo int > {heard}; exit 0' INT; touch {ready}; while :; do sleep 0.05; done"
    process = ServerProcess(["bash", "-c", script], _nowhere())
    while not ready.exists():
        time.sleep(0.01)
    process.stop()
    process.stop()
    assert heard.read_text() == "int\n"
    assert process.status == 0


def test_an_end_by_signal_is_told_as_a_negative_status() -> None:
    process = ServerProcess(["sleep", "60"], _nowhere())
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(10)
    assert process.status == -signal.SIGKILL


def _nowhere() -> int:
    return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
