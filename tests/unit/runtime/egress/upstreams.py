"""Real servers that answer as a test says, a channel to them, and a receiver that notes what it is told."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from crouter.runtime.egress.channel import ContentChannel
from crouter.runtime.egress.dialling import Dialler, Origin
from crouter.runtime.egress.errors import UpstreamError, UpstreamTimeoutError
from crouter.runtime.egress.exchange import UpstreamExchange
from crouter.runtime.egress.pool import Bounds, Deadlines, Pool
from crouter.runtime.egress.request_head import Headers

GENEROUS_SECONDS = 20.0
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upstream:
    """A server on this machine. `requests` are the heads and bodies that scripts read with `asked`."""

    port: int = 0
    connections: int = 0
    requests: list[tuple[bytes, bytes]] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def asked(self, reader: asyncio.StreamReader) -> bool:
        """Reads one request with its body; False when the client has closed instead."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
            body = await reader.readexactly(int(lines.get(b"content-length", b"0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return False
        self.requests.append((head, body))
        return True


@asynccontextmanager
async def serving(script: Script | None, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Upstream]:
    """Runs the script for each connection, and closes the connection after it. None: answers everything with OK."""
    upstream = Upstream()
    tasks: set[asyncio.Task[None]] = set()

    async def scripted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            try:
                if script is not None:
                    await script(reader, writer)
                else:
                    while await upstream.asked(reader):
                        writer.write(OK)
            finally:
                writer.close()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        upstream.writers.append(writer)
        tasks.add(asyncio.create_task(scripted(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def verbatim(*pieces: bytes, then: float = 0.0) -> Script:
    """Reads the head of one request, sends these bytes one after another, waits, and closes."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        await asyncio.sleep(then)

    return script


@dataclass
class Clock:
    """Time that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Reached:
    """A channel, and the pool behind it."""

    channel: ContentChannel
    pool: Pool

    def ask(self, method: str = "POST", body: bytes | None = b"{}", headers: Headers = ()) -> "Noted":
        """Begins a request whose answer is noted."""
        noted = Noted()
        noted.exchange = self.channel.exchange(method, "/v1/messages", headers, body, noted)
        return noted

    async def answered(self, method: str = "POST", body: bytes | None = b"{}") -> "Noted":
        """Asks, and waits until the answer has ended or broken off."""
        noted = self.ask(method, body)
        await noted.over()
        return noted


@asynccontextmanager
async def reaching(
    port: int,
    *,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    deadlines: Deadlines | None = None,
    bounds: Bounds | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Reached]:
    """A channel to a port of this machine, without the guard, which has tests of its own."""
    pool = Pool(Dialler(Origin(host, port, tls)), deadlines or Deadlines(), bounds or Bounds(), clock)
    try:
        yield Reached(ContentChannel(pool, f"{host}:{port}", lambda: True, lambda: None), pool)
    finally:
        await pool.close()


class Noted:
    """A receiver. `calls` are the names of what was called, pieces of one body counted once."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.status = 0
        self.headers: Headers = ()
        self._content = bytearray()
        self.error: UpstreamError | None = None
        self.exchange: UpstreamExchange | None = None
        self._changed = asyncio.Event()

    @property
    def content(self) -> bytes:
        return bytes(self._content)

    @property
    def timed_out(self) -> bool:
        """Whether it broke off because something took too long."""
        return isinstance(self.error, UpstreamTimeoutError)

    def head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        self._note("head")

    def body(self, data: bytes) -> None:
        assert data, "a piece of nothing"
        self._content += data
        self._note("body")

    def end(self) -> None:
        self._note("end")

    def broke_off(self, error: UpstreamError) -> None:
        self.error = error
        self._note("broke_off")

    def cancel(self) -> None:
        assert self.exchange is not None
        self.exchange.cancel()

    async def seen(self, condition: Callable[["Noted"], bool]) -> None:
        """Waits until the condition holds after a call."""
        async with asyncio.timeout(GENEROUS_SECONDS):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    async def over(self) -> None:
        await self.seen(lambda noted: noted.calls[-1:] in (["end"], ["broke_off"]))

    def _note(self, call: str) -> None:
        if call != "body" or self.calls[-1:] != ["body"]:
            self.calls.append(call)
        self._changed.set()


async def until(condition: Callable[[], bool]) -> None:
    """Waits until the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(GENEROUS_SECONDS):
        while not condition():  # noqa: ASYNC110  what is waited for knows no events
            await asyncio.sleep(0.005)
