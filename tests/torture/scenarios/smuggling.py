"""Two users, one of them hostile, directly and behind nginx and HAProxy: a hidden request is never carried out.

The attacker's bytes and the victim's ordinary requests take turns on kept-alive connections, which the front shares.
"""

import asyncio
import contextlib
import re
from typing import Final

from tests.torture import answers
from tests.torture.comparison import Difference
from tests.torture.fronts import front
from tests.torture.smuggling_corpus import Attack, attacks
from tests.torture.upstream import message_script
from tests.torture.wire import Wire, request
from tests.torture.world import DifferError, World

_QUICK_SECONDS: Final = 0.3
_VICTIM_SECONDS: Final = 20.0
_TOGETHER: Final = 8
_STATUS = re.compile(rb"HTTP/[0-9.]+ ([0-9]{3}) ")


async def play_smuggling(world: World) -> None:
    """Straight at the service: what breaks the RFC is refused, and the connection ends with it."""
    turns = asyncio.Semaphore(_TOGETHER)
    found: list[Difference] = []

    async def one(attack: Attack) -> None:
        async with turns:
            serial = world.serial()
            received = await _attack(world, attack, serial, world.service.port)
            if attack.refused and not _refuses(received):
                found.append(Difference("what breaks the RFC is refused", detail=attack.name))
            if attack.refused and _was_carried_out(world, serial):
                found.append(Difference("a hidden request reaches nobody", detail=attack.name))

    corpus = list(attacks())
    await asyncio.gather(*map(one, corpus))
    if found:
        raise DifferError(world.scenario, world.seed, tuple(sorted(found)))
    await _victim(world, world.service.port, None, "afterwards")
    world.tell(f"{len(corpus)} attacks")


async def play_smuggling_behind_nginx(world: World) -> None:
    await _play_behind(world, "nginx")


async def play_smuggling_behind_haproxy(world: World) -> None:
    await _play_behind(world, "haproxy")


async def _play_behind(world: World, name: str) -> None:
    async with front(name, world.service.port, world.folder) as port:
        corpus = list(attacks())
        if not world.long:
            corpus = world.chance.sample(corpus, 40)
        victim = await Wire.open(port)
        for attack in corpus:
            serial = world.serial()
            received = await _attack(world, attack, serial, port, quick=True)
            for _ in range(2):
                victim = await _victim(world, port, victim, attack.name)
            # A front may find two requests where we would refuse: then it gives the attacker both answers.
            if _was_carried_out(world, serial) and f"x-upstream-serial: {serial}".encode() not in received.lower():
                raise world.fails("a hidden request reaches nobody", attack.name)
        victim.leave()
        world.tell(f"{len(corpus)} attacks behind {name}")


async def _attack(world: World, attack: Attack, serial: int, port: int, *, quick: bool = False) -> bytes:
    """Sends one attack; gives what came back until the connection ended or fell silent."""
    hidden = request(answers.question(serial, stream=False), world.bob.key)
    wire = await Wire.open(port)
    try:
        with contextlib.suppress(ConnectionError):
            await wire.send(attack.bytes_for(world.bob.key, hidden))
        return await wire.silence(_QUICK_SECONDS if quick else 2 * _QUICK_SECONDS)
    finally:
        wire.leave()


async def _victim(world: World, port: int, wire: Wire | None, after: str) -> Wire:
    """An ordinary request of another user, on a kept-alive connection where that still lives."""
    wire = wire or await Wire.open(port)
    saw = world.began(world.ada)
    world.upstream.plans[saw.serial] = message_script
    await wire.send(world.request(saw, world.ada, stream=False))
    await wire.answer(saw, seconds=_VICTIM_SECONDS)
    if not (saw.whole and saw.status == 200 and saw.header("x-upstream-serial") == str(saw.serial)):
        raise world.fails("a victim has an answer of its own", f"status {saw.status} after: {after}")
    keeps = (saw.header("connection") or "").lower() != "close"
    if not keeps:
        wire.leave()
    return wire if keeps else await Wire.open(port)


def _was_carried_out(world: World, serial: int) -> bool:
    return any(asked.serial == serial and not _is_outer(asked.body) for asked in world.upstream.asked)


def _is_outer(body: bytes) -> bool:
    """Whether the body is the whole of what was hidden: then it arrived as a body and not as a request."""
    return body.startswith(b"POST ")


def _refuses(received: bytes) -> bool:
    """Whether the one answer, or the silence, is a refusal."""
    return not received or [status[:1] for status in _STATUS.findall(received)] in ([b"4"], [b"5"])
