"""One connection to the upstream: one exchange at a time, by callbacks. Whose turn it is, the pool decides."""

import asyncio
import select
from collections.abc import Callable
from typing import Final, Protocol, cast

from crouter.runtime.egress.answer_reader import AnswerReader
from crouter.runtime.egress.errors import UpstreamError, UpstreamTimeoutError
from crouter.runtime.egress.exchange import UpstreamExchange
from crouter.runtime.egress.plain_answer import PlainHead, plain_head

# Up to here copying the body behind the head is cheaper than a second buffer in the same write.
JOINED_BYTES_MAX: Final = 16 * 1024
# Written in one go, a large body would be held twice, and hold up every other request.
PIECE_BYTES: Final = 256 * 1024


class Owner(Protocol):
    """Who is told what became of a connection."""

    def idle(self, connection: "Connection") -> None:
        """It can be used again."""

    def gone(self, connection: "Connection") -> None:
        """It is closed. Told once."""


class Connection:
    """Sends a request and reads its answer, as an `asyncio.Protocol` by its methods. Keeps nothing of either when they
    are done."""

    def __init__(self, owner: Owner, clock: Callable[[], float]) -> None:
        self._owner = owner
        self._clock = clock
        self._reader = AnswerReader()
        self._transport: asyncio.Transport | None = None
        self._exchange: UpstreamExchange | None = None
        self._head_told = False
        self._unsent: memoryview | None = None
        self._may_write = True
        self._reads = True
        self._readable = select.poll()
        self._unwritten_bytes = 0
        self.heard_at = clock()
        """When something of an answer came last, or the request began."""
        self.moved_at = self.heard_at
        """When something of a request was last taken from us."""
        self.idle_since = self.heard_at

    # What the pool asks for.

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def is_quiet(self) -> bool:
        """Whether the other side has neither closed nor said anything, as far as this machine knows by now.

        Asked just before a request is written: what arrived since the loop last looked counts, too.
        """
        return self.is_open and not self._readable.poll(0)

    def begin(self, exchange: UpstreamExchange) -> None:
        """Sends the request. The connection must be open and idle."""
        transport = self._transport
        assert transport is not None, "open"
        assert self._exchange is None, "one exchange at a time"
        self._exchange = exchange
        self._head_told = False
        if exchange.is_head:
            self._reader.expect(is_head=True)
        self.heard_at = self.moved_at = self._clock()
        head, body = exchange.head_bytes, exchange.body
        exchange.head_bytes, exchange.body = b"", None
        exchange.held_by(self)
        if not body:
            transport.write(head)
        elif len(body) <= JOINED_BYTES_MAX:
            transport.write(head + body)
        else:
            view = memoryview(body)
            if len(body) > PIECE_BYTES:
                self._unsent = view[PIECE_BYTES:]
            transport.writelines((head, view[:PIECE_BYTES]))
            self._write_on()

    def check(self, now: float, silence_seconds: float, write_seconds: float, total_seconds: float) -> None:
        """Breaks off what takes too long: an answer that is silent, a request that is not taken, both together."""
        exchange = self._exchange
        if exchange is None or self._transport is None:
            return
        unwritten = self._transport.get_write_buffer_size() + len(self._unsent or b"")
        if unwritten != self._unwritten_bytes or not unwritten:
            self._unwritten_bytes, self.moved_at = unwritten, now
        # While the caller has paused the answer, silence says nothing about the upstream.
        if not self._reads:
            self.heard_at = now
        if (
            now - self.heard_at > silence_seconds
            or now - self.moved_at > write_seconds
            or now - exchange.began > total_seconds
        ):
            self._fail(UpstreamTimeoutError())

    def close(self) -> None:
        """At once, with whatever is under way."""
        self._fail(UpstreamError())

    # What the exchange asks for.

    def drop(self, exchange: UpstreamExchange) -> None:
        """The caller has left."""
        if self._exchange is exchange:
            self._exchange = None
            self._abort()

    def pause(self) -> None:
        """Stops reading, so that what is not taken stays with the upstream."""
        if self._reads and self._transport is not None and self.is_open:
            self._reads = False
            self._transport.pause_reading()

    def resume(self) -> None:
        """Reads again."""
        if not self._reads:
            self._reads = True
            if self._transport is not None and self.is_open:
                self.heard_at = self._clock()
                self._transport.resume_reading()

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        descriptor = transport.get_extra_info("socket").fileno()
        self._readable.register(descriptor, select.POLLIN | select.POLLRDHUP)

    def data_received(self, data: bytes) -> None:
        """Something of the answer, or something that nobody asked for."""
        exchange = self._exchange
        if exchange is None:
            self._abort()
            return
        self.heard_at = self._clock()
        if self._reader.is_fresh and not exchange.is_head:
            plain = plain_head(data)
            if plain is None:
                self._reader.feed(data)
            elif plain.is_whole(data):
                self._tell_whole(exchange, plain, data[plain.start :])
                return
            else:
                self._reader.feed_body(plain, data)
        else:
            self._reader.feed(data)
        self._tell(exchange)

    def eof_received(self) -> None:
        """The other side sends no more; nothing can be asked of it again."""
        exchange = self._exchange
        if exchange is not None:
            self._reader.close()
            self._tell(exchange)
        self._abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Closed, by whichever side."""
        self._transport = None
        self._fail(UpstreamError())
        self._owner.gone(self)

    def pause_writing(self) -> None:
        """Enough is buffered."""
        self._may_write = False

    def resume_writing(self) -> None:
        """More can be written."""
        self._may_write = True
        self._write_on()

    # Inside.

    def _write_on(self) -> None:
        while self._unsent is not None and self._may_write and self._transport is not None:
            piece, rest = self._unsent[:PIECE_BYTES], self._unsent[PIECE_BYTES:]
            self._unsent = rest if rest else None
            self._transport.write(piece)

    def _tell(self, exchange: UpstreamExchange) -> None:
        """Passes on what was read. The receiver may cancel at any of these calls."""
        reader, receiver = self._reader, exchange.receiver
        assert receiver is not None, "an exchange that is over is on no connection"
        if reader.status and not self._head_told:
            self._head_told = True
            receiver.head(reader.status, reader.headers)
        if reader.pieces and self._exchange is exchange:
            pieces = reader.pieces
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            receiver.body(data)
        if self._exchange is not exchange:
            return
        if reader.ended:
            self._finish(exchange)
            receiver.end()
        elif reader.broken:
            self._fail(UpstreamError())

    def _tell_whole(self, exchange: UpstreamExchange, head: PlainHead, body: bytes) -> None:
        """Passes on an answer that came whole."""
        receiver = exchange.receiver
        assert receiver is not None, "an exchange that is over is on no connection"
        self._reader.reusable = True
        receiver.head(head.status, head.headers)
        if body and self._exchange is exchange:
            receiver.body(body)
        if self._exchange is exchange:
            self._finish(exchange)
            receiver.end()

    def _finish(self, exchange: UpstreamExchange) -> None:
        exchange.over()
        self._exchange = None
        transport = self._transport
        # An answer to a request that is still being sent leaves the rest of it in the way of the next one.
        all_sent = transport is not None and self._unsent is None and not transport.get_write_buffer_size()
        if self._reader.reusable and all_sent:
            self.resume()
            self._reader.expect(is_head=False)
            self.idle_since = self.heard_at
            self._owner.idle(self)
        else:
            self._abort()

    def _fail(self, error: UpstreamError) -> None:
        exchange, self._exchange = self._exchange, None
        self._abort()
        if exchange is not None:
            exchange.break_off(error)

    def _abort(self) -> None:
        self._unsent = None
        self._reader.expect(is_head=False)
        if self._transport is not None:
            self._transport.abort()
