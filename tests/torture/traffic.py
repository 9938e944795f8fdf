"""Requests that keep coming while something is broken, and what must hold for them meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.torture import answers
from tests.torture.journals import Saw
from tests.torture.upstream import Plan, Script, message_script
from tests.torture.world import World

# An answer of ours that a client may get while something that we need is away.
TEMPORARY = frozenset({402, 503, 529})


def paced(texts: int, pause_s: float) -> Plan:
    """A stream that takes a while."""
    return lambda identity: Script(answers.stream(identity, texts), pause_s=pause_s)


@contextlib.asynccontextmanager
async def under_traffic(world: World, *, per_second: float = 40.0) -> AsyncIterator[list[Saw]]:
    """Two customers ask for streams and messages until the block ends; then all answers are waited for."""
    saws: list[Saw] = []
    asking: set[asyncio.Task[None]] = set()
    over = asyncio.Event()

    async def one() -> None:
        chance = world.chance
        customer = chance.choice((world.ada, world.bob))
        with contextlib.suppress(OSError):
            if chance.random() < 0.3:
                saws.append(await world.ask(message_script, customer=customer, stream=False))
            else:
                plan = paced(chance.randrange(1, 10), chance.uniform(0.0, 0.03))
                saws.append(await world.ask(plan, customer=customer))

    async def go_on() -> None:
        while not over.is_set():
            task = asyncio.create_task(one())
            asking.add(task)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(world.chance.expovariate(per_second)):
                    await over.wait()

    going = asyncio.create_task(go_on())
    try:
        yield saws
    finally:
        over.set()
        await going
        await asyncio.gather(*asking)
    require_honest(world, saws)


def require_honest(world: World, saws: list[Saw]) -> None:
    """A valid key is never called invalid, and an answer of ours is a temporary one. Raises DifferError."""
    for saw in saws:
        if saw.is_ours and saw.status not in TEMPORARY:
            raise world.fails("an outage is told as one", f"status {saw.status}")
