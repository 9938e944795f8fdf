"""Clients leave at every event and at every byte of the last three, with a polite end and with a reset."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import replace

from tests.torture import answers
from tests.torture.upstream import Plan, Script
from tests.torture.wire import Wire
from tests.torture.world import World

TOGETHER = 16
GLANCE_SECONDS = 0.02
STALL_SECONDS = 20.0


async def play_disconnects(world: World) -> None:
    """The upstream sends so many bytes and stalls; the client takes what comes, and leaves."""
    stream = answers.stream(16)
    total = sum(map(len, stream))
    events = [*itertools.accumulate(map(len, stream))]
    step = world.amount(3, 1)
    last_three = range(total - sum(map(len, stream[-3:])) + world.chance.randrange(step), total + 1, step)
    cuts = [0, *events, *last_three]
    plans = [_stalling(answers.stream, cut) for cut in cuts]
    plans += [_stalling(_message, cut) for cut in range(0, len(answers.message(16)), world.amount(40, 1))]
    plans += [_headless] * world.amount(4, 200)
    await _in_turns(world, plans)
    await _while_it_flows(world, world.amount(40, 4000))
    await world.compare()


async def _in_turns(world: World, plans: list[Plan]) -> None:
    turns = asyncio.Semaphore(TOGETHER)

    async def one(number: int, plan: Plan) -> None:
        async with turns:
            await _leaves_when_it_stalls(world, plan, reset=bool(number % 2))

    await asyncio.gather(*(one(number, plan) for number, plan in enumerate(plans)))
    world.tell(f"left at {len(plans)} places")


async def _leaves_when_it_stalls(world: World, plan: Plan, *, reset: bool) -> None:
    saw = world.began()
    world.upstream.plans[saw.serial] = plan
    wire = await Wire.open(world.service.port)
    await wire.send(world.request(saw))
    async with asyncio.timeout(STALL_SECONDS):
        await world.upstream.stalled[saw.serial].wait()
    with contextlib.suppress(TimeoutError):
        await wire.answer(saw, seconds=GLANCE_SECONDS)
    saw.left = True
    wire.leave(reset=reset)


async def _while_it_flows(world: World, times: int) -> None:
    """The upstream does not wait for anybody: the client's leaving meets anything."""
    turns = asyncio.Semaphore(TOGETHER)

    async def one(wait_s: float, reset: bool) -> None:
        async with turns:
            saw = world.began()
            world.upstream.plans[saw.serial] = lambda identity: Script(answers.stream(identity, 8), pause_s=0.001)
            wire = await Wire.open(world.service.port)
            await wire.send(world.request(saw))
            with contextlib.suppress(TimeoutError):
                await wire.answer(saw, seconds=wait_s)
            saw.left = not saw.whole
            wire.leave(reset=reset)

    draws = [(world.chance.uniform(0.0, 0.03), world.chance.random() < 0.5) for _ in range(times)]
    await asyncio.gather(*(one(*draw) for draw in draws))
    world.tell(f"left {times} times while it flowed")


def _message(identity: int) -> tuple[bytes, ...]:
    return (answers.message(identity),)


def _headless(identity: int) -> Script:
    return Script((), head=b"", then="stall")


def _stalling(pieces: Callable[[int], tuple[bytes, ...]], cut: int) -> Plan:
    def plan(identity: int) -> Script:
        script = Script(pieces(identity), cut_at=cut, then="stall")
        return replace(script, media_type=answers.JSON, framing="length") if pieces is _message else script

    return plan
