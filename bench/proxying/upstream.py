"""A mock upstream as fast as Python can be: answers from precomputed bytes, `python -m bench.proxying.upstream`.

A request whose body is not exactly a known one gets 409, so a proxy that changes a byte on the way fails the run.
Prints its port. Reads heads only as far as its own clients need: for measuring, never for tests of HTTP.
"""

import asyncio
import sys
from typing import cast

import uvloop

from bench.proxying.traffic import workloads

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CHANGED = b"HTTP/1.1 409 Changed On The Way\r\nContent-Length: 0\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection. `answers` gives the whole answer for each known body."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers
        self._unread = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._unread:
            data = self._unread + data
        while data:
            end = data.find(_HEAD_END)
            if end < 0:
                break
            body_at = end + len(_HEAD_END)
            body_end = body_at + _content_length(data[:end])
            if len(data) < body_end:
                break
            self._transport.write(self._answers.get(data[body_at:body_end], _CHANGED))
            data = data[body_end:]
        self._unread = data


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(_LENGTH)
    return int(lowered[at + len(_LENGTH) :].partition(b"\r")[0]) if at >= 0 else 0


async def _serve() -> None:
    answers = {workload.body: workload.answer for workload in workloads()}
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(answers), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve())
