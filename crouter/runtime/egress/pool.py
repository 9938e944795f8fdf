"""Keeps connections to one origin: hands them out, bounds them, and ends what takes too long.

The connection used last is used next, so that the others may expire. One coarse timer serves all deadlines.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from crouter.runtime.egress.connection import Connection
from crouter.runtime.egress.dialling import Dialler
from crouter.runtime.egress.errors import UpstreamError, UpstreamTimeoutError
from crouter.runtime.egress.exchange import UpstreamExchange

SWEEP_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds. Long thinking is silent for many minutes: only a connection that is surely dead is given up."""

    connect: float = 10.0
    """For a connection, whether it is waited for or opened."""
    silence: float = 3600.0
    """Without a byte of the answer, before its head and within it."""
    write: float = 60.0
    """Without the upstream taking a byte of a request that is not sent yet."""
    total: float = 2 * 3600.0
    idle: float = 30.0
    """Unused; well under the minute and more for which servers usually keep one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections there may be, and how many requests may wait for one."""

    connections: int = 4096
    waiting: int = 1024


class Pool:
    """The connections to one origin. `start` gives an exchange to one of them, now or soon."""

    def __init__(
        self,
        dialler: Dialler,
        deadlines: Deadlines = Deadlines(),
        bounds: Bounds = Bounds(),
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._dialler = dialler
        self._deadlines = deadlines
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self.clock = clock or self._loop.time
        self._open: set[Connection] = set()
        # Ordered: the one that came last is taken first, the one that came first expires first.
        self._idle: dict[Connection, None] = {}
        self._dialling: dict[UpstreamExchange, asyncio.Task[None]] = {}
        self._waiting: dict[UpstreamExchange, None] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    def start(self, exchange: UpstreamExchange) -> None:
        """Sends the exchange's request as soon as there is a connection. Never blocks and calls no receiver."""
        connection = self._take()
        if connection is not None:
            connection.begin(exchange)
            return
        exchange.held_by(self)
        if self._closed:
            self._loop.call_soon(exchange.break_off, UpstreamError(nothing_sent=True))
        elif len(self._open) + len(self._dialling) < self._bounds.connections:
            self._dial(exchange)
        elif len(self._waiting) < self._bounds.waiting:
            self._waiting[exchange] = None
        else:
            self._loop.call_soon(exchange.break_off, UpstreamError(nothing_sent=True))

    def sweep(self) -> None:
        """Ends whatever is past its time. Called by a timer while there is anything to look after."""
        now, deadlines = self.clock(), self._deadlines
        for connection in [c for c in self._idle if now - c.idle_since >= deadlines.idle]:
            self._idle.pop(connection, None)
            connection.close()
        for connection in list(self._open):
            connection.check(now, deadlines.silence, deadlines.write, deadlines.total)
        for exchange in [e for e in (*self._dialling, *self._waiting) if now - e.began > deadlines.connect]:
            self.drop(exchange)
            exchange.break_off(UpstreamTimeoutError(nothing_sent=True))

    async def close(self) -> None:
        """Closes everything at once; exchanges under way break off."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        tasks = list(self._dialling.values())
        for exchange in [*self._dialling, *self._waiting]:
            self.drop(exchange)
            exchange.break_off(UpstreamError(nothing_sent=True))
        self._idle.clear()
        for connection in list(self._open):
            connection.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._dialler.close()
        # Transports tell of their end in the next turn of the loop.
        await asyncio.sleep(0)

    # For exchanges that have no connection yet.

    def drop(self, exchange: UpstreamExchange) -> None:
        """The caller has left, or time is up."""
        self._waiting.pop(exchange, None)
        task = self._dialling.pop(exchange, None)
        if task is not None:
            task.cancel()
            self._serve_next()

    def pause(self) -> None:
        """Nothing is read yet."""

    def resume(self) -> None:
        """Nothing is read yet."""

    # For connections.

    def idle(self, connection: Connection) -> None:
        """An answer ended in order: the next request, if one waits, goes at once."""
        if self._closed or (self._waiting and not connection.is_quiet()):
            connection.close()
        elif self._waiting:
            connection.begin(self._next_waiting())
        else:
            self._idle[connection] = None

    def gone(self, connection: Connection) -> None:
        """There is room for another one."""
        self._idle.pop(connection, None)
        self._open.discard(connection)
        self._serve_next()

    # Inside.

    def _take(self) -> Connection | None:
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def _next_waiting(self) -> UpstreamExchange:
        exchange = next(iter(self._waiting))
        del self._waiting[exchange]
        return exchange

    def _serve_next(self) -> None:
        if self._waiting and not self._closed and len(self._open) + len(self._dialling) < self._bounds.connections:
            self._dial(self._next_waiting())

    def _dial(self, exchange: UpstreamExchange) -> None:
        self._dialling[exchange] = asyncio.create_task(self._dialled(exchange))
        self._keep_sweeping()

    async def _dialled(self, exchange: UpstreamExchange) -> None:
        try:
            connection = await self._dialler.dial(lambda: Connection(self, self.clock))
        except OSError:
            # The error would tell addresses; that nothing was sent is all that matters.
            self._dialling.pop(exchange, None)
            exchange.break_off(UpstreamError(nothing_sent=True))
            self._serve_next()
            return
        self._dialling.pop(exchange, None)
        self._open.add(connection)
        if connection.is_open:
            connection.begin(exchange)
        else:
            self._open.discard(connection)
            exchange.break_off(UpstreamError(nothing_sent=True))

    def _keep_sweeping(self) -> None:
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._swept)

    def _swept(self) -> None:
        self._sweeping = None
        self.sweep()
        if self._open or self._dialling or self._waiting:
            self._keep_sweeping()
