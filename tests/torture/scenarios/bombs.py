"""Small things that unpack to large ones, and large ones: heads, targets, pipelines, codings, JSON."""

import asyncio
import gzip
import json
from dataclasses import replace
from typing import Any, Final

from tests.torture import answers
from tests.torture.upstream import Plan, Script, message_script
from tests.torture.wire import Wire, request
from tests.torture.world import World

MIB: Final = 1024 * 1024
# Bodies may have 32 MiB, and are held as pieces and as a whole.
MEMORY_BYTES_MAX: Final = 400 * MIB
_ANSWER_SECONDS: Final = 60.0


async def play_bombs(world: World) -> None:
    """Each is refused or answered; the service lives on and does not grow."""
    await world.ask()
    world.service.forget_most()
    before = world.service.resident_bytes()
    for name, data in _refused_bombs(world).items():
        status = await _status(world, name, data)
        if not 400 <= status < 600:
            raise world.fails("a bomb is refused", f"{name}: status {status}")
        await _serves(world, name)
    for name, body in _bodies(world).items():
        status = await _status(world, name, request(body, world.ada.key))
        if not 200 <= status < 600:
            raise world.fails("a bomb is answered", f"{name}: status {status}")
        await _serves(world, name)
    await _pipeline(world)
    await _packed_answers(world)
    most = world.service.resident_bytes_most() - before
    world.tell(f"{most // MIB} MiB more at most")
    if most > MEMORY_BYTES_MAX:
        raise world.fails("memory is bounded", f"{most // MIB} MiB more")


def _refused_bombs(world: World) -> dict[str, bytes]:
    key = world.ada.key
    packed = gzip.compress(bytes(64 * MIB))
    line = b"POST /v1/messages HTTP/1.1\r\nhost: crouter\r\nx-api-key: " + key.encode() + b"\r\n"
    chunked = b"transfer-encoding: chunked\r\n\r\n"
    return {
        "a header of two megabytes": line + b"x-a: " + b"a" * 2 * MIB + b"\r\n\r\n",
        "fifty thousand headers": line + b"".join(b"x-%d: a\r\n" % number for number in range(50_000)) + b"\r\n",
        "a name of a megabyte": line + b"x" * MIB + b": a\r\n\r\n",
        "a target of two megabytes": b"GET /" + b"a" * 2 * MIB + b" HTTP/1.1\r\nhost: crouter\r\n\r\n",
        "a query of two megabytes": b"GET /v1/models?" + b"a=b&" * (MIB // 2) + b" HTTP/1.1\r\nhost: crouter\r\n\r\n",
        "a packed body": request(packed, key, more=(("content-encoding", "gzip"),)),
        "a body of four gigabytes, announced": line + b"content-length: 4294967296\r\n\r\n",
        "a chunk of four gigabytes, announced": line + chunked + b"100000000\r\n" + bytes(40 * MIB),
        "a chunk extension of two megabytes": line + chunked + b"5;" + b"a" * 2 * MIB + b"\r\nhello\r\n0\r\n\r\n",
        "forty megabytes": request(b" " * 40 * MIB, key),
    }


def _bodies(world: World) -> dict[str, bytes]:
    """JSON that is hard on its reader. Whether it goes on to the upstream is not said here."""
    depth = world.amount(100_000, 10_000_000)
    many = {f"k{number}": number for number in range(world.amount(20_000, 1_000_000))}
    plain: dict[str, Any] = json.loads(answers.question(0, stream=False))
    plain.pop("metadata")
    inside = json.dumps(plain).encode()[:-1]
    return {
        "arrays in arrays": inside + b',"x":' + b"[" * depth + b"]" * depth + b"}",
        "objects in objects": inside + b',"x":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}",
        "arrays without end": b"[" * depth,
        "the depth in a tool": inside + b',"tools":[' + b"[" * depth + b"]" * depth + b"]}",
        "many members": inside + b"," + json.dumps(many).encode()[1:],
        "one member again and again": inside + b',"a":1' * world.amount(20_000, 3_000_000) + b"}",
        "a number of a megabyte": inside + b',"max_tokens":' + b"9" * MIB + b"}",
        "a fraction of a megabyte": inside + b',"temperature":0.' + b"9" * MIB + b"}",
        "an exponent": inside + b',"max_tokens":1e999999999}',
        "a model of a megabyte": b'{"model":"' + b"a" * MIB + b'"}',
        "backslashes": inside + b',"x":"' + b"\\\\" * (4 * MIB) + b'"}',
        "a string without end": inside + b',"x":"' + b"\\" * (4 * MIB + 1),
        "whitespace": b" " * (30 * MIB) + b"{}",
    }


async def _pipeline(world: World) -> None:
    """Requests in one write, far ahead of their answers: each has its own, in order."""
    wire = await Wire.open(world.service.port)
    saws = [world.began() for _ in range(world.amount(50, 3000))]
    for saw in saws:
        world.upstream.plans[saw.serial] = message_script
    sending = asyncio.create_task(wire.send(b"".join(world.request(saw, stream=False) for saw in saws)))
    for saw in saws:
        await wire.answer(saw, seconds=_ANSWER_SECONDS)
        if not (saw.whole and saw.status == 200):
            raise world.fails("a pipeline is answered in order", f"status {saw.status}")
    await sending
    wire.leave()


async def _packed_answers(world: World) -> None:
    """An answer that unpacks to much more than it is: it is relayed, and others are served meanwhile."""
    packed = gzip.compress(bytes(world.amount(64, 1024) * MIB))
    pieces = tuple(packed[at : at + 16384] for at in range(0, len(packed), 16384))
    for script in (Script(pieces, coding="gzip"), replace(message_script(0), pieces=pieces, coding="gzip")):
        saw, _ = await asyncio.gather(world.ask(_always(script)), world.ask())
        if not saw.whole:
            raise world.fails("a packed answer is relayed")


def _always(script: Script) -> Plan:
    return lambda identity: script


async def _status(world: World, name: str, data: bytes) -> int:
    """The status of the answer; 499 of our own making where the connection was ended instead."""
    wire = await Wire.open(world.service.port)
    saw = world.began()
    world.journals.saw.remove(saw)
    sending = asyncio.create_task(wire.send(data))
    try:
        await wire.answer(saw, seconds=_ANSWER_SECONDS)
    except TimeoutError:
        raise world.fails("a bomb is answered", f"{name}: not within {_ANSWER_SECONDS:g} s") from None
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        wire.leave()
    return saw.status or 499


async def _serves(world: World, after: str) -> None:
    saw = await world.ask(seconds=_ANSWER_SECONDS)
    if not (saw.whole and saw.status == 200):
        raise world.fails("the service goes on", f"after {after}")
