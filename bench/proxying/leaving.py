"""How soon the upstream is rid of a request whose client has left: from the end of one connection to the end of the
other, for many streams that are left at random moments.

Upstream and clients are in this process, on one clock, and slow enough that it does not measure itself.
"""

import asyncio
import json
import random
import re
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from bench.errors import BenchError
from bench.proxying.dialects import Dialect
from bench.proxying.field import CROUTER, NGINX
from bench.proxying.peers.crouter import Store, service
from bench.proxying.peers.nginx import nginx, nginx_program
from bench.proxying.processes import Cores, on_core
from bench.proxying.traffic import STREAM, Workload, workloads

STREAMS: Final = 200
"""At once, in each round."""
_EVENT_SECONDS = 0.1
_STAY_SECONDS = (0.2, 1.2)
_NOTICED_SECONDS = 10.0
_NUMBER = re.compile(rb"leaving-(\d{6})")
_EVENT = b'event: ping\ndata: {"type":"ping"}\n\n'
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    b"Request-Id: req_011CbenchBenchBenchBench\r\n\r\n"
)


def measure_leaving(
    prepared: Store, cores: Cores, rounds: int, tell: Callable[[str], None]
) -> dict[str, tuple[float, ...]]:
    """Milliseconds by peer. Raises BenchError where the upstream never notices."""
    seed = random.SystemRandom().getrandbits(32)
    tell(f"leaving: {rounds} rounds of {STREAMS} streams, seed {seed}")
    return asyncio.run(_measured(prepared, cores, rounds, random.Random(seed)))  # noqa: S311  moments, no secrets


async def _measured(prepared: Store, cores: Cores, rounds: int, chance: random.Random) -> dict[str, tuple[float, ...]]:
    found: dict[str, list[float]] = {}
    async with _upstream() as upstream:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crouter-bench-")))
            ports: dict[str, int] = {}
            with on_core(cores.proxy):
                path = nginx_program()
                if path is not None:
                    _, ports[NGINX] = stack.enter_context(nginx(path, upstream.port, folder))
                _, ports[CROUTER] = stack.enter_context(service(prepared, upstream.port, folder))
            for _ in range(rounds):
                for name, port in ports.items():
                    leaving = [
                        _left(upstream, port, prepared.key, chance.uniform(*_STAY_SECONDS)) for _ in range(STREAMS)
                    ]
                    found.setdefault(name, []).extend(await asyncio.gather(*leaving))
    return {name: tuple(times) for name, times in found.items()}


class _Upstream:
    """Streams that never end by themselves, and when each of them was over."""

    def __init__(self) -> None:
        self.port = 0
        self._count = 0
        self._over: dict[int, asyncio.Future[float]] = {}

    def next(self) -> tuple[int, "asyncio.Future[float]"]:
        """A number for a request to hold, and when it is over on this side."""
        self._count += 1
        over = self._over[self._count] = asyncio.get_running_loop().create_future()
        return self._count, over

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, with one request."""
        try:
            read = b""
            while (number := _NUMBER.search(read)) is None:
                piece = await reader.read(65536)
                if not piece:
                    return
                read += piece
            writer.write(_HEAD)
            events = asyncio.create_task(_write_events(writer))
            await _ended(reader)
            at = time.monotonic()
            events.cancel()
            over = self._over.pop(int(number[1]))
            if not over.done():
                over.set_result(at)
        finally:
            writer.close()


async def _write_events(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT))
        await asyncio.sleep(_EVENT_SECONDS)


async def _ended(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        return


@asynccontextmanager
async def _upstream() -> AsyncIterator[_Upstream]:
    upstream = _Upstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()


async def _left(upstream: _Upstream, port: int, key: str, stay_seconds: float) -> float:
    """One stream, left after a while: how many milliseconds later the upstream knows. Raises BenchError."""
    number, over = upstream.next()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(Dialect().request(_numbered(number), port, key))
    await reader.readuntil(_EVENT)
    await asyncio.sleep(stay_seconds)
    left = time.monotonic()
    writer.close()
    try:
        return (await asyncio.wait_for(over, _NOTICED_SECONDS) - left) * 1000
    except TimeoutError:
        raise BenchError(f"the upstream has not noticed for {_NOTICED_SECONDS:.0f} s that a client left") from None


def _numbered(number: int) -> Workload:
    """A request for a stream that holds its number, anywhere in its body."""
    body = json.loads(workloads()[STREAM].body)
    body["messages"] = [{"role": "user", "content": f"leaving-{number:06}"}]
    return Workload(STREAM, json.dumps(body).encode(), b"", b"")
