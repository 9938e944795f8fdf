"""The service is killed without warning, again and again, under streams and messages of two customers."""

import asyncio

from tests.torture import answers
from tests.torture.upstream import Plan, Script, message_script
from tests.torture.world import World

UNDER = 20
COMPARE_EVERY = 10


async def play_kills(world: World) -> None:
    """Half of the kills come at a random time, half at the moment when a random number of answers has ended."""
    kills = world.amount(5, 200)
    for kill in range(1, kills + 1):
        ended = asyncio.Semaphore(0)
        asking = [asyncio.create_task(_asked(world, ended)) for _ in range(UNDER)]
        if world.chance.random() < 0.5:
            for _ in range(world.chance.randrange(1, UNDER)):
                await ended.acquire()
        else:
            await asyncio.sleep(world.chance.uniform(0.0, 0.5))
        await world.kill()
        await asyncio.gather(*asking)
        await world.service.start()
        if kill % COMPARE_EVERY == 0 or kill == kills:
            await world.compare()
            world.tell(f"{kill} of {kills} kills, {len(world.journals.sent)} attempts")


async def _asked(world: World, ended: asyncio.Semaphore) -> None:
    chance = world.chance
    try:
        if chance.random() < 0.2:
            await world.ask(message_script, stream=False, customer=chance.choice((world.ada, world.bob)))
        else:
            plan = _paced(chance.randrange(1, 30), chance.uniform(0.0, 0.02))
            await world.ask(plan, customer=chance.choice((world.ada, world.bob)))
    except OSError:
        # The kill came before the request could leave.
        pass
    finally:
        ended.release()


def _paced(texts: int, pause_s: float) -> Plan:
    return lambda identity: Script(answers.stream(identity, texts), pause_s=pause_s)
