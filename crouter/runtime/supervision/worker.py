"""One supervised process: started on a listening socket, heard when it is ready, told to stop."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from crouter.runtime.supervision.activation import FIRST_DESCRIPTOR, READY

# The shell knows its own number, which `sd_listen_fds(3)` wants, and hands over to the command with its place.
_SHELL: Final = ("/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh")
_STATE_BYTES_MAX: Final = 64


class Worker:
    """A process that was started. `ready` is set when it answers, `ended` when it is gone."""

    def __init__(self, listener: socket.socket, command: Sequence[str], environ: Mapping[str, str], told: Path) -> None:
        self.began = time.monotonic()
        self.ready = asyncio.Event()
        self.ended = asyncio.Event()
        self.status = 0
        self._told_at = told
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.setblocking(False)
        self._told.bind(str(told))
        asyncio.get_running_loop().add_reader(self._told, self._hear)
        self.pid = os.posix_spawn(
            _SHELL[0],
            (*_SHELL, *command),
            {**environ, "LISTEN_FDS": "1", "NOTIFY_SOCKET": str(told)},
            file_actions=((os.POSIX_SPAWN_DUP2, listener.fileno(), FIRST_DESCRIPTOR),),
        )

    def reap(self) -> bool:
        """Whether the process has ended, and its end was taken note of."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return False
        self.status = os.waitstatus_to_exitcode(status)
        asyncio.get_running_loop().remove_reader(self._told)
        self._told.close()
        self._told_at.unlink(missing_ok=True)
        self.ended.set()
        return True

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, unless the process is gone."""
        if not self.ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while state := self._told.recv(_STATE_BYTES_MAX):
                if state == READY:
                    self.ready.set()
