"""One request and its answer, as the caller holds it: whom to tell, how to stop it. Knows no sockets."""

from typing import Protocol

from crouter.runtime.egress.errors import UpstreamError
from crouter.runtime.egress.request_head import Headers


class Receiver(Protocol):
    """Is told about an answer, synchronously and in this order; after `end` or `broke_off` nothing more comes.

    Nothing is called before `exchange()` has returned.
    """

    def head(self, status: int, headers: Headers) -> None:
        """The final head; interim ones (1xx) are left out. Values may hold surrogate escapes."""

    def body(self, data: bytes) -> None:
        """Bytes of the body: content coding untouched, the framing of chunks removed."""

    def end(self) -> None:
        """The body ended as HTTP says."""

    def broke_off(self, error: UpstreamError) -> None:
        """Comes instead of `end`, also before any head."""


class Holder(Protocol):
    """Where an exchange is at the moment: among those that wait for a connection, or on one."""

    def drop(self, exchange: "UpstreamExchange") -> None:
        """Forgets the exchange; whatever was opened for it is closed at once."""

    def pause(self) -> None:
        """Reads no more for now."""

    def resume(self) -> None:
        """Reads again."""


class UpstreamExchange:
    """A request under way. Holds its head and body only until they have been sent."""

    __slots__ = ("_holder", "_paused", "_receiver", "began", "body", "head_bytes", "is_head")

    def __init__(self, receiver: Receiver, head_bytes: bytes, body: bytes | None, began: float, *, is_head: bool):
        self._receiver: Receiver | None = receiver
        self._holder: Holder | None = None
        self._paused = False
        self.began = began
        self.is_head = is_head
        self.head_bytes = head_bytes
        self.body = body

    def cancel(self) -> None:
        """Closes the connection at once: whoever asked has left. Nothing is called afterwards."""
        holder = self._holder
        self.over()
        if holder is not None:
            holder.drop(self)

    def pause(self) -> None:
        """Stops reading the answer; what was read already may still come, once."""
        if not self._paused:
            self._paused = True
            if self._holder is not None:
                self._holder.pause()

    def resume(self) -> None:
        """Reads the answer again."""
        if self._paused:
            self._paused = False
            if self._holder is not None:
                self._holder.resume()

    # What follows is for connection and pool.

    @property
    def receiver(self) -> Receiver | None:
        """None when it is over: ended, broken off or cancelled."""
        return self._receiver

    def held_by(self, holder: Holder) -> None:
        self._holder = holder
        if self._paused:
            holder.pause()

    def over(self) -> None:
        """Lets go of everything."""
        self._holder = self._receiver = self.body = None
        self.head_bytes = b""

    def break_off(self, error: UpstreamError) -> None:
        """Tells the receiver, if it is still to be told."""
        receiver = self._receiver
        self.over()
        if receiver is not None:
            receiver.broke_off(error)
