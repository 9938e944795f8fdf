"""Slow headers, bodies and readers, and idle connections, by the thousand: others are served, memory stays bounded."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Final

from tests.torture import answers
from tests.torture.upstream import Script
from tests.torture.wire import Wire
from tests.torture.world import World

KIB: Final = 1024
MIB: Final = 1024 * KIB
# What a service may take on top, whatever the crowd: buffers of the allocator, of the interpreter, of others' requests.
_FLOOR_BYTES: Final = 64 * MIB
_SERVED_SECONDS: Final = 20.0
_CONNECTS_TOGETHER: Final = 200
# More than a service may keep for a reader; the kernel's buffers are its own affair.
_ANSWER_BYTES: Final = 2 * MIB


async def play_slow_headers(world: World) -> None:
    """Heads that never end, a byte at a time."""
    await _crowd(world, world.amount(50, 2000), 64 * KIB, _slow_header)


async def play_slow_bodies(world: World) -> None:
    """Bodies that never end, behind heads that promise megabytes."""
    await _crowd(world, world.amount(50, 2000), 128 * KIB, _slow_body)


async def play_slow_readers(world: World) -> None:
    """Clients that ask for megabytes and read nothing: the upstream has to wait, and memory must not."""
    await _crowd(world, world.amount(50, 1000), 512 * KIB, _slow_reader)


async def play_idle(world: World) -> None:
    """Connections on which nothing is ever sent."""
    await _crowd(world, world.amount(500, 10_000), 32 * KIB, _idle)


async def _crowd(
    world: World, size: int, bytes_each: int, member: Callable[[World, Wire], Coroutine[Any, Any, None]]
) -> None:
    with _many_files():
        await world.ask()
        before = world.service.resident_bytes()
        world.service.forget_most()
        async with _members(world, size, member):
            served = 0
            async with asyncio.timeout(world.amount(60, 600)):
                for _ in range(world.amount(3, 120)):
                    saw = await world.ask(seconds=_SERVED_SECONDS)
                    served += saw.whole and saw.status == 200
                    await asyncio.sleep(world.amount(1, 5) * 0.1)
            most = world.service.resident_bytes_most() - before
            world.tell(f"{size} together, {served} others served, {most // MIB} MiB more")
        if served < world.amount(3, 120):
            raise world.fails("others are served", f"{served} of {world.amount(3, 120)}")
        if most > _FLOOR_BYTES + size * bytes_each:
            raise world.fails("memory is bounded", f"{most // MIB} MiB more for {size} connections")
    saw = await world.ask(seconds=_SERVED_SECONDS)
    if not saw.whole:
        raise world.fails("the service goes on")


@contextlib.asynccontextmanager
async def _members(
    world: World, size: int, member: Callable[[World, Wire], Coroutine[Any, Any, None]]
) -> AsyncIterator[None]:
    turns = asyncio.Semaphore(_CONNECTS_TOGETHER)
    wires: list[Wire] = []

    async def connected() -> None:
        async with turns:
            wires.append(await Wire.open(world.service.port, receive_bytes=4096))

    await asyncio.gather(*(connected() for _ in range(size)))
    tasks = [asyncio.create_task(member(world, wire)) for wire in wires]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            # A service may send such clients away.
            if not isinstance(outcome, ConnectionError | asyncio.CancelledError | None):
                raise outcome
        for wire in wires:
            wire.leave(reset=True)


async def _slow_header(world: World, wire: Wire) -> None:
    await wire.send(b"POST /v1/messages HTTP/1.1\r\nhost: crouter\r\nx-slow: ")
    await _trickle(world, wire)


async def _slow_body(world: World, wire: Wire) -> None:
    head = (
        f"POST /v1/messages HTTP/1.1\r\nhost: crouter\r\nx-api-key: {world.ada.key}\r\ncontent-length: 30000000\r\n\r\n"
    )
    await wire.send(head.encode() + b'{"model":"')
    await _trickle(world, wire)


async def _trickle(world: World, wire: Wire) -> None:
    while True:
        await asyncio.sleep(world.chance.uniform(0.05, 0.5) * world.amount(1, 10))
        await wire.send(b"a")


async def _slow_reader(world: World, wire: Wire) -> None:
    saw = world.began()
    world.upstream.plans[saw.serial] = _megabytes
    # Nothing of the answer is read, so nothing of it counts as seen.
    saw.left = True
    await wire.send(world.request(saw))
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()


async def _idle(world: World, wire: Wire) -> None:
    await asyncio.Event().wait()


def _megabytes(identity: int) -> Script:
    words = answers.text("x" * 16 * KIB)
    first, *rest = answers.stream(identity)
    return Script((first, *([words] * (_ANSWER_BYTES // len(words))), *rest))


@contextlib.contextmanager
def _many_files() -> Iterator[None]:
    """A crowd needs a file for each of its members, here as well as in the service."""
    less, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (less, most))
