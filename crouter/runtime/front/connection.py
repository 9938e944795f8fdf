"""One connection of a client: finds heads and bodies in its bytes, and who serves them.

Requests are answered in order; what a client sends ahead waits, up to a bound. A connection that was handed to
aiohttp never comes back.
"""

import asyncio
from typing import TYPE_CHECKING, Final, cast

from crouter.runtime.front.head import HEAD_END, may_become_plain
from crouter.runtime.front.turn import Turn

if TYPE_CHECKING:
    from crouter.runtime.front.front import Front

HEAD_SECONDS: Final = 30.0
BODY_SECONDS: Final = 600.0
KEEPALIVE_SECONDS: Final = 75.0
LINGERING_SECONDS: Final = 2.0
# What a client may send ahead of an answer before it is no longer listened to.
AHEAD_BYTES_MAX: Final = 64 * 1024
_NEVER: Final = float("inf")


class Connection:
    """The bytes of one client: an `asyncio.Protocol` by its methods.

    `deadline` is when it has waited long enough, in the front's seconds.
    """

    __slots__ = (
        "_body",
        "_discards",
        "_front",
        "_is_advancing",
        "_is_closing",
        "_is_paused",
        "_is_reading",
        "_missing",
        "_transport",
        "_turn",
        "_unread",
        "deadline",
    )

    def __init__(self, front: "Front") -> None:
        self._front = front
        self._transport: asyncio.Transport | None = None
        self._turn: Turn | None = None
        self._unread = b""
        # Bytes of the body that have not come yet; what has come of it.
        self._missing = 0
        self._body: list[bytes] = []
        self._discards = False
        self._is_advancing = False
        self._is_reading = True
        self._is_closing = False
        self._is_paused = False
        self.deadline = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self._turn is None and not self._missing

    # From the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one by its methods only
        self.deadline = self._front.now + HEAD_SECONDS
        self._front.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._take_body(data)
            return
        if self._unread:
            data = self._unread + data
        self._unread = data
        if self._turn is None and not self._missing:
            self._advance()
        elif len(data) > AHEAD_BYTES_MAX and self._is_reading and self._transport is not None:
            self._is_reading = False
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The client sends no more: the transport may close."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.gone(self)
        turn = self._turn
        self._forget()
        self._transport = None
        self._unread = b""
        if turn is not None:
            turn.client_left()

    def pause_writing(self) -> None:
        self._is_paused = True
        if self._turn is not None:
            self._turn.pause()

    def resume_writing(self) -> None:
        self._is_paused = False
        if self._turn is not None:
            self._turn.resume()
        else:
            self._advance()

    # From the turn.

    def write(self, data: bytes) -> None:
        """Bytes of an answer."""
        if self._transport is not None:
            self._transport.write(data)

    def turn_over(self, data: bytes) -> None:
        """The last bytes of an answer; the next request may come."""
        transport = self._transport
        if transport is None:
            return
        transport.write(data)
        self._turn = None
        if self._missing:
            # The answer came before the whole body: the rest of it is read, for a moment, and thrown away.
            self._body = []
            self._discards = True
            self.deadline = self._front.now + LINGERING_SECONDS
        elif not self._is_advancing:
            self._advance()

    def abort(self) -> None:
        """Ends the connection at once; nothing that is still to be written leaves."""
        transport = self._transport
        if transport is not None:
            self._is_closing = True
            transport.abort()

    # From the front.

    def close(self) -> None:
        """No further request is served."""
        self._is_closing = True
        if self.is_idle and self._transport is not None:
            self._transport.close()

    def expire(self) -> None:
        """The deadline has passed."""
        if self._transport is not None:
            self._transport.abort()

    # Inside.

    def _advance(self) -> None:
        """Serves what can be served of the bytes that are there, one request after the other."""
        self._is_advancing = True
        try:
            while self._unread and self._turn is None and not (self._missing or self._is_closing or self._is_paused):
                if not self._start():
                    break
        finally:
            self._is_advancing = False
        transport = self._transport
        if self._turn is None and not self._missing and transport is not None:
            if self._is_closing:
                transport.close()
            elif not self._unread:
                self.deadline = self._front.now + KEEPALIVE_SECONDS
        # Reading stopped for requests that were sent ahead; the rest of the body of one of them is still to come.
        if transport is not None and not self._is_reading and (self._turn is None or self._missing):
            self._is_reading = True
            transport.resume_reading()

    def _start(self) -> bool:
        """Starts the next request; False if it cannot go on from here now."""
        data, front = self._unread, self._front
        end = data.find(HEAD_END)
        if end < 0:
            if not may_become_plain(data):
                self._hand_over()
            elif self.deadline > front.now + HEAD_SECONDS:
                self.deadline = front.now + HEAD_SECONDS
            return False
        head = front.heads.read(data, end)
        if head is None or head.body_bytes > front.body_bytes_max:
            self._hand_over()
            return False
        start = end + len(HEAD_END)
        body_end = start + head.body_bytes
        self._missing = max(0, body_end - len(data))
        self._unread = data[body_end:]
        self._discards = False
        self.deadline = _NEVER if not self._missing else front.now + BODY_SECONDS
        turn = Turn(front, self, head)
        self._turn = turn
        turn.begin()
        if self._is_served_by(turn):
            if self._missing:
                self._body.append(data[start:])
            else:
                turn.take_body(data[start:body_end])
        return True

    def _is_served_by(self, turn: Turn) -> bool:
        """Asked apart: where it was just set, mypyc takes it for set, and a turn may end as soon as it has begun."""
        return self._turn is turn

    def _take_body(self, data: bytes) -> None:
        """Takes what belongs to the body; what follows it is a next request."""
        missing = self._missing
        rest = b""
        if len(data) > missing:
            data, rest = data[:missing], data[missing:]
        self._missing = missing - len(data)
        if not self._discards:
            self._body.append(data)
        if self._missing:
            return
        self._unread = rest
        if self._discards:
            self._discards = False
            self._advance()
            return
        pieces, self._body = self._body, []
        self.deadline = _NEVER
        turn = self._turn
        assert turn is not None, "a body belongs to a turn"
        turn.take_body(b"".join(pieces))

    def _hand_over(self) -> None:
        transport, data = self._transport, self._unread
        assert transport is not None, "who is served is connected"
        self._front.gone(self)
        self._unread = b""
        self._transport = None
        handler = self._front.make_handler()
        transport.set_protocol(handler)
        handler.connection_made(transport)
        handler.data_received(data)

    def _forget(self) -> None:
        self._turn = None
        self._missing = 0
        self._body = []
