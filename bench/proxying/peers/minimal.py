"""The least that a proxy in Python can be, `python -m bench.proxying.peers.minimal PORT`: the mark for Crouter.

`asyncio.Protocol`, httptools and uvloop: it reads a request's head, looks for a key in a set, forwards head and body in
one write, relays what comes back as it comes, and looks for usage in it. It trusts both sides, waits for nobody, and
records nothing. Prints its port.
"""

import asyncio
import sys
from collections import deque
from typing import cast

import httptools
import uvloop

_KEYS: set[bytes] = set()


class _Upstream(asyncio.Protocol):
    """One connection to the upstream, of whichever client has it now."""

    def __init__(self, idle: "deque[_Upstream]") -> None:
        self._idle = idle
        self._parser = httptools.HttpResponseParser(self)
        self._front: _Front | None = None
        self._has_ended = False
        self.usage_seen = 0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._front is not None:
            self._front.close()
        elif self in self._idle:
            self._idle.remove(self)

    def forward(self, front: "_Front", request: bytes) -> None:
        self._front = front
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        front = self._front
        if front is None or front.has_left:
            self.transport.close()
            return
        self._parser.feed_data(data)
        front.write(data)
        if self._has_ended:
            self._has_ended = False
            self._front = None
            self._idle.append(self)
            front.answered()

    def on_body(self, body: bytes) -> None:
        if b'"usage"' in body:
            self.usage_seen += 1

    def on_message_complete(self) -> None:
        self._has_ended = True


class _Front(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, port: int, idle: "deque[_Upstream]") -> None:
        self._port, self._idle = port, idle
        self._transport: asyncio.Transport
        self._upstream: _Upstream | None = None
        self.has_left = False
        self._connecting: asyncio.Task[None] | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._target = b""
        self._headers: list[bytes] = []
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.has_left = True
        if self._upstream is not None:
            self._upstream.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._target = url

    def on_header(self, name: bytes, value: bytes) -> None:
        lowered = name.lower()
        if lowered == b"x-api-key":
            _KEYS.add(value)
            value = b"sk-ant-bench"
        if lowered not in (b"host", b"connection"):
            self._headers.append(b"%b: %b\r\n" % (name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        head = b"%b %b HTTP/1.1\r\nHost: upstream\r\n" % (self._parser.get_method(), self._target)
        request = b"".join((head, *self._headers, b"\r\n", *self._body))
        self._begin()
        if self._idle:
            self._upstream = self._idle.pop()
            self._upstream.forward(self, request)
        else:
            self._connecting = asyncio.get_running_loop().create_task(self._connect(request))

    async def _connect(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        _, upstream = await loop.create_connection(lambda: _Upstream(self._idle), "127.0.0.1", self._port)
        if self.has_left:
            upstream.transport.abort()
            return
        self._upstream = upstream
        upstream.forward(self, request)

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def answered(self) -> None:
        self._upstream = None

    def close(self) -> None:
        self._transport.close()


async def _serve(port: int) -> None:
    idle: deque[_Upstream] = deque()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Front(port, idle), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
