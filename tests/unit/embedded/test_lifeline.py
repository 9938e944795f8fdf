import subprocess
import sys
import time
from pathlib import Path

import pytest

from crouter.embedded import lifeline

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: only Linux tells a child of our death")

SCRIPT = str(Path(str(lifeline.__file__)))

# Starts `sleep` through the lifeline, says its process id, and waits.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-I", "-S", sys.argv[1], "sleep", "60"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_it_becomes_the_program_with_its_arguments() -> None:
    answer = subprocess.run([sys.executable, "-I", "-S", SCRIPT, "echo", "a b", "c"], capture_output=True, check=True)
    assert answer.stdout == b"a b c\n"


def test_the_program_is_interrupted_when_its_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, SCRIPT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        _await_state(pid, "sleep")
        parent.kill()
        _await_state(pid, None)


def _await_state(pid: int, program: str | None) -> None:
    """Wait until the process runs `program`, or, for None, until it has ended."""
    deadline = time.monotonic() + 5
    while _program(pid) != program:
        assert time.monotonic() < deadline, f"the process is still {_program(pid)}"
        time.sleep(0.02)


def _program(pid: int) -> str | None:
    try:
        head, _, tail = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if tail.split()[0] == "Z" else head.partition("(")[2]
