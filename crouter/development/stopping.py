"""Turns the signals that end a run into one event."""

import asyncio
import os
import signal
import time

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Who asks again after this time does not want to wait any longer.
_IMPATIENT_SECONDS = 1.0
INTERRUPTED = 130


class Stop:
    """Is set by Ctrl-C, SIGTERM, or the end of the terminal. Ctrl-C again later ends the process at once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._first: float | None = None

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def listen(self) -> None:
        """Take the signals, in the running event loop."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            # `nohup` means that a run should outlive its terminal.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._requested, number)

    async def wait(self, seconds: float) -> bool:
        """Whether the end was asked for, waiting that long at most."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _requested(self, number: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
        elif number == signal.SIGINT and now - self._first > _IMPATIENT_SECONDS:
            # The kernel stops the database when we are gone.
            os._exit(INTERRUPTED)
        self._event.set()
