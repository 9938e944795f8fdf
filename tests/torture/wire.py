"""A client that reads and writes bytes itself, so that it can leave anywhere and send what no library would."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.torture.journals import Headers, Saw

_LINGER_NOT = struct.pack("ii", 1, 0)
READ_BYTES: Final = 65536


class NotHttpError(Exception):
    """What came back cannot be read as an answer."""


@dataclass
class AnswerReader:
    """Reads answers of HTTP/1.1 out of bytes that come in pieces; interim ones are passed over."""

    status: int = 0
    headers: Headers = ()
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    unread: bytearray = field(default_factory=bytearray)
    _left: int | None = None
    _chunked: bool = False

    def feed(self, data: bytes) -> None:
        """Takes over bytes. Raises NotHttpError."""
        self.unread += data
        while not self.whole and self._step():
            pass

    def end(self) -> None:
        """The connection has ended: that is the end of an answer without a length."""
        if self.status and not self._chunked and self._left is None:
            self.whole = True

    def _step(self) -> bool:
        if not self.status:
            return self._read_head()
        if self._chunked:
            return self._read_chunk()
        taken = self.unread if self._left is None else self.unread[: self._left]
        self.body += taken
        del self.unread[: len(taken)]
        if self._left is not None:
            self._left -= len(taken)
            self.whole = self._left == 0
        return False

    def _read_head(self) -> bool:
        head, found, rest = bytes(self.unread).partition(b"\r\n\r\n")
        if not found:
            return False
        self.unread = bytearray(rest)
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, told = first.partition(" ")
        if not version.startswith("HTTP/1.") or not told[:3].isdigit():
            raise NotHttpError("no status line")
        status = int(told[:3])
        if status < 200:
            return True
        self.status = status
        self.headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
        fields = {name.lower(): value for name, value in self.headers}
        self._chunked = fields.get("transfer-encoding", "").lower() == "chunked"
        self._left = int(fields["content-length"]) if "content-length" in fields and not self._chunked else None
        if status in (204, 304) or self._left == 0:
            self.whole = True
        return True

    def _read_chunk(self) -> bool:
        """Bytes of a chunk count as soon as they are here, also when the rest of it never comes."""
        if self._left is None:
            line, found, _ = bytes(self.unread[:32]).partition(b"\r\n")
            if not found:
                return False
            try:
                self._left = int(line, 16)
            except ValueError:
                raise NotHttpError("no chunk size") from None
            del self.unread[: len(line) + 2]
            if self._left == 0:
                self._left = -1
        if self._left == -1:
            if len(self.unread) >= 2:
                del self.unread[:2]
                self.whole = True
            return False
        taken = self.unread[: self._left]
        self.body += taken
        del self.unread[: len(taken)]
        self._left -= len(taken)
        if self._left == 0 and len(self.unread) >= 2:
            del self.unread[:2]
            self._left = None
            return True
        return False


def request(
    body: bytes,
    key: str,
    *,
    path: str = "/v1/messages",
    method: str = "POST",
    more: Headers = (),
    host: str = "crouter",
) -> bytes:
    """An ordinary request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"x-api-key: {key}", "anthropic-version: 2023-06-01"]
    lines += ["content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


class Wire:
    """One connection to the service, or to what stands in front of it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._left_over = b""

    @classmethod
    async def open(cls, port: int, *, receive_bytes: int | None = None) -> "Wire":
        """Connects. `receive_bytes` makes the kernel's buffer for what comes back small. Raises OSError."""
        connection = socket.socket()
        if receive_bytes is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        except BaseException:
            connection.close()
            raise
        return cls(*await asyncio.open_connection(sock=connection, limit=READ_BYTES))

    async def send(self, data: bytes) -> None:
        """Writes bytes. Raises ConnectionError."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, saw: Saw, *, seconds: float = 60.0) -> Saw:
        """Reads one answer into `saw`, which grows as bytes come. A connection that breaks off ends it."""
        reader = AnswerReader(body=saw.body)
        with _kept(saw, reader):
            reader.feed(self._left_over)
            async with asyncio.timeout(seconds):
                while not reader.whole:
                    data = await self._read()
                    if not data:
                        reader.end()
                        break
                    reader.feed(data)
                    saw.status, saw.headers = reader.status, reader.headers
        self._left_over = bytes(reader.unread)
        return saw

    async def silence(self, seconds: float) -> bytes:
        """All that comes until the other side ends the connection, or for so long."""
        received = bytearray(self._left_over)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while data := await self._read():
                    received += data
        return bytes(received)

    async def _read(self) -> bytes:
        try:
            return await self.reader.read(READ_BYTES)
        except ConnectionError:
            return b""

    def leave(self, *, reset: bool = False) -> None:
        """Goes away without a word; with a reset, what is under way is thrown away."""
        if reset and not self.writer.transport.is_closing():
            connection: socket.socket = self.writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.writer.transport.abort() if reset else self.writer.close()


@contextlib.contextmanager
def _kept(saw: Saw, reader: AnswerReader) -> Iterator[None]:
    try:
        yield
    finally:
        saw.status, saw.headers, saw.whole = reader.status, reader.headers, reader.whole
