"""An answer for those who wait: its head, and its body piece by piece, with a bounded queue between."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from crouter.runtime.egress.errors import AnswerTooLargeError, UpstreamError
from crouter.runtime.egress.exchange import UpstreamExchange
from crouter.runtime.egress.request_head import Headers

QUEUE_BYTES_MAX: Final = 256 * 1024


class Answer:
    """An answer that has begun. Closed by whoever opened it."""

    def __init__(self) -> None:
        self._exchange: UpstreamExchange | None = None
        self._queue: deque[bytes] = deque()
        self._queued_bytes = 0
        self._is_over = False
        self._error: UpstreamError | None = None
        self._waiting: asyncio.Future[None] | None = None
        self.status = 0
        self.headers: Headers = ()

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        lower = name.lower()
        return next((value for name, value in self.headers if name.lower() == lower), None)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body's bytes as they come, content coding untouched. Raises UpstreamError."""
        while True:
            while self._queue:
                yield self._taken()
            if self._is_over:
                break
            await self._woken()
        self._raise()

    async def whole(self, bytes_max: int) -> bytes:
        """The body to its end, of an answer that should be small. Raises UpstreamError."""
        pieces: list[bytes] = []
        length = 0
        async for piece in self.pieces():
            length += len(piece)
            if length > bytes_max:
                raise AnswerTooLargeError
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Ends the connection at once, unless the answer has ended."""
        exchange, self._exchange = self._exchange, None
        self._queue.clear()
        self._is_over = True
        if exchange is not None:
            exchange.cancel()

    # For the channel.

    def begin(self, exchange: UpstreamExchange) -> None:
        self._exchange = exchange

    async def begun(self) -> None:
        """Waits for the head. Raises UpstreamError; closes when the wait is cancelled."""
        try:
            while not self.status and self._error is None:
                await self._woken()
        except asyncio.CancelledError:
            self.close()
            raise
        if not self.status:
            self._raise()

    # The receiver's side.

    def head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        self._wake()

    def body(self, data: bytes) -> None:
        self._queue.append(data)
        self._queued_bytes += len(data)
        if self._queued_bytes > QUEUE_BYTES_MAX and self._exchange is not None:
            self._exchange.pause()
        self._wake()

    def end(self) -> None:
        self._exchange, self._is_over = None, True
        self._wake()

    def broke_off(self, error: UpstreamError) -> None:
        self._error = error
        self.end()

    def _raise(self) -> None:
        # A new one each time: kept here, a raised one would keep the frames that it passed, and what they hold.
        if self._error is not None:
            raise type(self._error)(nothing_sent=self._error.nothing_sent) from None

    def _taken(self) -> bytes:
        piece = self._queue.popleft()
        self._queued_bytes -= len(piece)
        if self._queued_bytes <= QUEUE_BYTES_MAX // 2 and self._exchange is not None:
            self._exchange.resume()
        return piece

    async def _woken(self) -> None:
        assert self._waiting is None, "one reader"
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
