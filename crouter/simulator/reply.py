"""A reply as a list of steps to play on a connection. Declares; `playing` acts."""

from dataclasses import dataclass, field

EVENT_STREAM = "text/event-stream; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True)
class Send:
    """Hand bytes to the connection. `plain` is the same data uncompressed, if `data` is not."""

    data: bytes
    plain: bytes | None = None


@dataclass(frozen=True)
class Wait:
    """Say nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Stall:
    """Say nothing more, and keep the connection open until the client leaves."""


@dataclass(frozen=True)
class Reset:
    """Reset the connection (TCP RST). A reset may destroy bytes that the client has not read yet,
    so it waits for them to arrive."""

    after_s: float = 0.05


@dataclass(frozen=True)
class Hangup:
    """Close the connection in order, with the reply unfinished."""


Step = Send | Wait | Stall | Reset | Hangup


@dataclass(frozen=True)
class Reply:
    """`content_length` is sent as given, true or not. Without it, `chunked` replies are framed in
    chunks and others by their true length. `verbatim`: the steps hold the whole HTTP response, head
    included, and nothing is added to it."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    steps: tuple[Step, ...] = field(default=(), repr=False)
    chunked: bool = False
    content_length: int | None = None
    verbatim: bool = False

    @property
    def body(self) -> bytes:
        """All bytes that the steps send."""
        return b"".join(step.data for step in self.steps if isinstance(step, Send))
