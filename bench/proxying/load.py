"""The load: connections that send a request, wait for its whole answer, and send the next. Blocks, in one thread.

Written on epoll and sockets, because an event loop with transports would cost more than the fastest proxy does.
The body of every JSON answer is compared with the upstream's, of streams one in `STREAMS_PER_CHECK`, and one in
`warm`, which compares all. What is not the same ends the run with BenchError.
"""

import re
import select
import socket
import time
from array import array
from dataclasses import dataclass

from bench.errors import BenchError

STREAMS_PER_CHECK = 16
SILENCE_SECONDS = 30.0
_RECEIVE_BYTES = 256 * 1024
_CHUNKED_END = b"\r\n0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is sent, and the body that has to come back."""

    port: int
    request: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw. `answers` came within `seconds`; `all_answers` counts those that came just after as well."""

    answers: int
    all_answers: int
    seconds: float
    latencies_ns: "array[int]"


class _Connection:
    __slots__ = ("received", "sent_ns", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.sent_ns = 0

    def send(self, request: bytes) -> None:
        self.sent_ns = time.perf_counter_ns()
        if self.socket.send(request) != len(request):
            raise BenchError("a request did not fit into the socket's buffer")


def drive(exchange: Exchange, connections: int, seconds: float, *, check_all: bool = False) -> Load:
    """Keeps `connections` requests under way for so long. Raises BenchError."""
    opened = [_Connection(exchange.port) for _ in range(connections)]
    try:
        return _Drive(exchange, opened, 1 if check_all else STREAMS_PER_CHECK).run(seconds)
    except ConnectionError as error:
        raise BenchError(f"a connection broke off in the middle of the run ({type(error).__name__})") from None
    finally:
        for connection in opened:
            connection.socket.close()


class _Drive:
    """One run over connections that are open."""

    def __init__(self, exchange: Exchange, opened: list[_Connection], streams_per_check: int) -> None:
        self._exchange = exchange
        self._opened = {connection.socket.fileno(): connection for connection in opened}
        self._streams_per_check = streams_per_check
        self._streams = 0

    def run(self, seconds: float) -> Load:
        request, opened = self._exchange.request, self._opened
        latencies: array[int] = array("q")
        answers, waiting = 0, len(opened)
        with select.epoll() as poll:
            for number in opened:
                poll.register(number, select.EPOLLIN)
            began = time.perf_counter_ns()
            deadline = began + int(seconds * 1e9)
            for connection in opened.values():
                connection.send(request)
            while waiting:
                ready = poll.poll(SILENCE_SECONDS)
                if not ready:
                    raise BenchError(f"no answer came for {SILENCE_SECONDS:.0f} s")
                for number, _ in ready:
                    connection = opened[number]
                    if not self._receive(connection):
                        continue
                    now = time.perf_counter_ns()
                    latencies.append(now - connection.sent_ns)
                    if now < deadline:
                        answers += 1
                        connection.send(request)
                    else:
                        waiting -= 1
        return Load(answers, len(latencies), seconds, latencies)

    def _receive(self, connection: _Connection) -> bool:
        """Takes what has come; gives whether that completes an answer."""
        data = connection.socket.recv(_RECEIVE_BYTES)
        if not data:
            raise BenchError("a connection was closed in the middle of the run")
        if connection.received:
            data = connection.received + data
        is_complete = self._is_complete(data)
        connection.received = b"" if is_complete else data
        return is_complete

    def _is_complete(self, data: bytes) -> bool:
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return False
        if data[9:12] != b"200":
            raise BenchError(f"an answer began with {data[:80]!r}")
        length = _LENGTH.search(data, 0, end)
        if length is not None:
            if len(data) < end + 4 + int(length[1]):
                return False
            self._compare(data[end + 4 :])
            return True
        if not data.endswith(_CHUNKED_END):
            return False
        self._streams += 1
        if self._streams % self._streams_per_check == 0:
            self._compare(dechunked(data[end + 4 :]))
        return True

    def _compare(self, content: bytes) -> None:
        if content != self._exchange.content:
            raise BenchError(
                f"{len(content)} bytes came through, not the {len(self._exchange.content)} of the upstream"
            )


def dechunked(body: bytes) -> bytes:
    """The content of a chunked body that is whole. Raises BenchError where the framing is broken."""
    pieces: list[bytes] = []
    at = 0
    while True:
        line_end = body.find(b"\r\n", at)
        try:
            size = int(body[at:line_end], 16)
        except ValueError:
            raise BenchError("a chunked answer is not framed as chunks") from None
        start = line_end + 2
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[start : start + size])
        at = start + size + 2
