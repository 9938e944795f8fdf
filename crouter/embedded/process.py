"""One server process and the thread that keeps it alive. Knows nothing of PostgreSQL's files."""

import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from crouter.embedded.identity import child_environment

# Fast shutdown, immediate shutdown, the end: the signal and how many seconds it gets.
_STOP_STEPS = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))


class ServerProcess:
    """A child process that is waited for by the thread that started it.

    Linux ends the server when its starting *thread* ends (see `crouter.embedded.identity`). A
    caller's thread may be a short-lived worker of a pool, so the process gets a thread of its own.
    It also gets its own session: Ctrl-C in the terminal reaches us alone, and we stop the database
    last, after what still has to be written.
    """

    def __init__(self, command: Sequence[str], log_fd: int) -> None:
        """Start `command` with its output going to `log_fd`; OSError if it cannot be executed."""
        self._exited = threading.Event()
        started: Future[subprocess.Popen[bytes]] = Future()
        threading.Thread(
            target=self._run,
            args=(list(command), log_fd, started),
            name="embedded-postgres",
            daemon=True,
        ).start()
        self._process = started.result()

    def _run(self, command: list[str], log_fd: int, started: Future[subprocess.Popen[bytes]]) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                env=child_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log_fd,
                stderr=log_fd,
                start_new_session=True,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as problem:
            started.set_exception(problem)
            return
        started.set_result(process)
        process.wait()
        self._exited.set()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status (minus the signal that ended it), or None while it runs."""
        return self._process.returncode if self._exited.is_set() else None

    def wait(self, seconds: float) -> bool:
        """Whether the process has ended, waiting for it that long at most."""
        return self._exited.wait(seconds)

    def stop(self) -> None:
        """End the process and wait for its end. Can be called again."""
        for number, seconds in _STOP_STEPS:
            if self._exited.is_set():
                return
            self._process.send_signal(number)
            if self._exited.wait(seconds):
                return
        raise TimeoutError(f"process {self.pid} could not be killed")
