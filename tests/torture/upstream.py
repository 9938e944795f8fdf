"""An upstream that answers by script, faults included, and writes down exactly what it sent.

Speaks just enough HTTP/1.1 to read what the service sends. A request is known by the serial in its body; one that
carries none, or that is no HTTP, is counted as a stray.
"""

import asyncio
import contextlib
import re
import socket
import struct
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from tests.torture import answers
from tests.torture.journals import ATTEMPTS_MAX, Headers, Journals, Sent, identity_of

_SERIAL = re.compile(rb"torture-(\d+)-")
_HEAD_END: Final = b"\r\n\r\n"
_LINGER_NOT = struct.pack("ii", 1, 0)

Then = Literal["end", "reset", "close", "stall"]


@dataclass(frozen=True, slots=True)
class Script:
    """What to send. `then` happens after the body, or after the first `cut_at` bytes of it.

    `before` are bytes ahead of the head, such as interim answers; `head` replaces the whole head by these bytes.
    `after` are bytes that nobody asked for, behind the end.
    """

    pieces: tuple[bytes, ...]
    status: int = 200
    media_type: str = answers.EVENT_STREAM
    coding: str = ""
    headers: Headers = ()
    framing: Literal["chunked", "length", "close"] = "chunked"
    before: bytes = b""
    head: bytes | None = None
    pause_s: float = 0.0
    cut_at: int | None = None
    then: Then = "end"
    after: bytes = b""


Plan = Callable[[int], Script]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the upstream had it."""

    serial: int | None
    method: str
    target: str
    headers: Headers
    body: bytes


def stream_script(identity: int) -> Script:
    """An ordinary stream, each event in a write of its own."""
    return Script(answers.stream(identity))


def message_script(identity: int) -> Script:
    """An ordinary message."""
    return Script((answers.message(identity),), media_type=answers.JSON, framing="length")


@dataclass
class Upstream:
    """The scripted upstream. `plans` says by serial what is answered; others get an ordinary stream."""

    journals: Journals
    port: int = 0
    plans: dict[int, Plan] = field(default_factory=dict)
    plan: Plan = stream_script
    asked: list[Asked] = field(default_factory=list)
    strays: int = 0
    malformed: int = 0
    stalled: dict[int, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    _attempts: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _connections: "set[_Connection]" = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def serving(self) -> "AsyncIterator[Upstream]":
        """Listens until the block ends."""
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, backlog=4096
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await asyncio.gather(*(connection.end() for connection in tuple(self._connections)))

    def begun(self, serial: int) -> tuple[Sent, Script]:
        """A new attempt of a request, and what to answer to it."""
        attempt = self._attempts[serial]
        assert attempt < ATTEMPTS_MAX, "a request is attempted again and again"
        self._attempts[serial] += 1
        script = self.plans.get(serial, self.plan)(identity_of(serial, attempt))
        sent = Sent(serial, attempt, script.status, script.media_type.partition(";")[0], script.coding)
        self.journals.sent.append(sent)
        return sent, script


class _Connection(asyncio.Protocol):
    """One connection of the service."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._received = bytearray()
        self._news = asyncio.Event()
        self._gone = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upstream._connections.add(self)
        self._task = asyncio.create_task(self._run())

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._gone.set()
        self._news.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def end(self) -> None:
        self._transport.abort()
        await asyncio.wait({self._task}, timeout=5)

    async def _run(self) -> None:
        try:
            while await self._one():
                pass
        except ConnectionError:
            if not self._gone.is_set():
                self._upstream.malformed += 1
        finally:
            self._transport.close()
            self._upstream._connections.discard(self)

    async def _more(self) -> None:
        if self._gone.is_set():
            raise ConnectionResetError
        self._news.clear()
        await self._news.wait()

    async def _one(self) -> bool:
        """Answers one request; gives whether another may follow."""
        while _HEAD_END not in self._received:
            if self._gone.is_set() and not self._received:
                return False
            await self._more()
        head, _, rest = bytes(self._received).partition(_HEAD_END)
        self._received = bytearray(rest)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ") if first.count(" ") == 2 else ("", "", "")
        headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        body = b"" if self._is_early(headers) else await self._body(headers)
        found = _SERIAL.search(body) or _SERIAL.search(head)
        serial = int(found[1]) if found else None
        self._upstream.asked.append(Asked(serial, method, target, headers, body))
        if serial is None:
            self._upstream.strays += 1
            self._transport.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}")
            return True
        sent, script = self._upstream.begun(serial)
        try:
            return await self._answer(sent, script)
        finally:
            sent.open = False
            sent.closed_by_peer = self._gone.is_set() and not sent.whole

    def _is_early(self, headers: Headers) -> bool:
        # A request that must be answered early says so in a header, because its body is not read before.
        return any(name.lower() == "x-torture-early" for name, _ in headers)

    async def _body(self, headers: Headers) -> bytes:
        fields = {name.lower(): value for name, value in headers}
        if fields.get("transfer-encoding", "").lower() == "chunked":
            return await self._chunked()
        length = int(fields.get("content-length", "0"))
        while len(self._received) < length:
            await self._more()
        body = bytes(self._received[:length])
        del self._received[:length]
        return body

    async def _chunked(self) -> bytes:
        body = bytearray()
        while True:
            while b"\r\n" not in self._received:
                await self._more()
            line, _, _ = bytes(self._received).partition(b"\r\n")
            size = int(line.split(b";")[0], 16)
            while len(self._received) < len(line) + size + 4:
                await self._more()
            body += self._received[len(line) + 2 : len(line) + 2 + size]
            del self._received[: len(line) + size + 4]
            if size == 0:
                return bytes(body)

    async def _answer(self, sent: Sent, script: Script) -> bool:
        self._transport.write(script.before + (_head(sent, script) if script.head is None else script.head))
        for piece in _cut(script):
            if self._gone.is_set():
                return False
            sent.body += piece
            framed = b"%x\r\n%b\r\n" % (len(piece), piece) if script.framing == "chunked" else piece
            self._transport.write(framed)
            await self._writable.wait()
            # Even without a pause every piece is a segment of its own.
            await asyncio.sleep(script.pause_s)
        if self._gone.is_set():
            return False
        return await self._then(sent, script)

    async def _then(self, sent: Sent, script: Script) -> bool:
        match script.then:
            case "end":
                sent.whole = True
                end = b"0\r\n\r\n" if script.framing == "chunked" else b""
                self._transport.write(end + script.after)
                return script.framing != "close"
            case "reset":
                connection: socket.socket = self._transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                self._transport.abort()
                return False
            case "close":
                return False
            case "stall":
                self._upstream.stalled[sent.serial].set()
                await self._gone.wait()
                return False


def _head(sent: Sent, script: Script) -> bytes:
    lines = [f"HTTP/1.1 {script.status} {'OK' if script.status == 200 else 'Not'}"]
    lines += [f"content-type: {script.media_type}"] if script.media_type else []
    lines += [f"content-encoding: {script.coding}"] if script.coding else []
    lines += [f"request-id: req_up_{sent.serial}_{sent.attempt}", f"x-upstream-serial: {sent.serial}"]
    lines += [f"{name}: {value}" for name, value in script.headers]
    if script.framing == "chunked":
        lines.append("transfer-encoding: chunked")
    elif script.framing == "length":
        lines.append(f"content-length: {sum(map(len, script.pieces))}")
    else:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _cut(script: Script) -> list[bytes]:
    left = sum(map(len, script.pieces)) if script.cut_at is None else script.cut_at
    pieces = []
    for piece in script.pieces:
        if left <= 0:
            break
        pieces.append(piece[:left])
        left -= len(piece)
    return [piece for piece in pieces if piece]
