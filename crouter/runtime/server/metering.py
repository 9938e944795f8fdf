"""Gives a metered answer to a client that came over aiohttp. What is decided about it is `crouter.runtime.front.relay`.

The relay calls back and never waits; aiohttp's writer waits for slow clients. Between them stands a queue, with a
bound: beyond it nothing more is read from the upstream.
"""

import asyncio
from typing import Final

from aiohttp import web

from crouter.runtime.front.admitted import Admitted
from crouter.runtime.front.relay import MeteredRelay, Relays
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.proxy.headers import Headers, Returned
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.server.outlet import Outlet
from crouter.runtime.server.protocol import error_reply

QUEUED_BYTES_MAX: Final = 256 * 1024


class BrokenOffError(ConnectionResetError):
    """The connection ends before the answer does, so that the client sees it. `status` is for the log."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class QueuedClient:
    """A client of a relay, as a queue of what is to be written. See `crouter.runtime.front.client.Client`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._outlet: Outlet | None = None
        self._queued: list[bytes] = []
        self._queued_bytes = 0
        self._has_news = asyncio.Event()
        self._is_finished = False
        self._refusal: ErrorReply | None = None
        self._broke_off_with = 0
        self._relay: MeteredRelay | None = None

    async def run(self, relay: MeteredRelay) -> web.StreamResponse:
        """Writes the answer as it comes. Raises ConnectionError when the client is gone, BrokenOffError."""
        self._relay = relay
        try:
            while not self._is_over:
                await self._has_news.wait()
                self._has_news.clear()
                await self._write_queued()
        except (asyncio.CancelledError, ConnectionError):
            relay.client_left()
            raise
        if self._broke_off_with:
            raise BrokenOffError(self._broke_off_with)
        if self._refusal is not None:
            return error_reply(self._refusal, self._exchange.request_id)
        await self._write_queued()
        assert self._outlet is not None, "what is finished began"
        return await self._outlet.end()

    def answer_begins(self, status: int, returned: Returned) -> None:
        self._outlet = Outlet(self._exchange.request, status, tuple(returned.headers))

    def write(self, data: bytes) -> None:
        self._queued.append(data)
        self._queued_bytes += len(data)
        if self._queued_bytes > QUEUED_BYTES_MAX and self._relay is not None:
            self._relay.pause()
        self._has_news.set()

    def finish(self, data: bytes) -> None:
        self._is_finished = True
        self.write(data)

    def refuse(self, error: ErrorReply) -> None:
        self._refusal = error
        self._has_news.set()

    def break_off(self, status: int) -> None:
        self._broke_off_with = status
        self._has_news.set()

    @property
    def _is_over(self) -> bool:
        return self._is_finished or self._refusal is not None or self._broke_off_with > 0

    async def _write_queued(self) -> None:
        while self._queued and self._outlet is not None:
            data, self._queued, self._queued_bytes = b"".join(self._queued), [], 0
            if data:
                await self._outlet.write(data)
            else:
                await self._outlet.begin()
            if self._relay is not None:
                self._relay.resume()


async def relayed(
    relays: Relays, exchange: Exchange, admitted: Admitted, headers: Headers, body: list[bytes]
) -> web.StreamResponse:
    """Forwards and relays one request. `body` is emptied, so that it is not kept while the answer runs.

    Raises ConnectionError when the client is gone or has to see a broken connection.
    """
    client = QueuedClient(exchange)
    relay = relays.start(client, admitted, exchange.target, headers, body.pop())
    del headers
    return await client.run(relay)
