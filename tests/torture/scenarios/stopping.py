"""The service is told to stop under streams: they finish within the grace, nothing is lost, its status is 0."""

import asyncio
import contextlib

from tests.behaviour.service import until
from tests.torture import answers
from tests.torture.traffic import paced
from tests.torture.upstream import Script
from tests.torture.wire import Wire
from tests.torture.world import World

UNDER = 20


async def play_stopping(world: World) -> None:
    """Streams of up to a second or two, a stop in the middle of them, and a new start."""
    for turn in range(world.amount(1, 50)):
        before = len(world.journals.sent)
        asking = [
            asyncio.create_task(
                world.ask(paced(world.chance.randrange(2, world.amount(20, 60)), world.chance.uniform(0.005, 0.03)))
            )
            for _ in range(UNDER)
        ]
        await _begun(world, before + UNDER)
        await asyncio.sleep(world.chance.uniform(0.0, 0.2))
        world.service.terminate()
        saws = await asyncio.gather(*asking)
        if await world.service.ended() != 0:
            raise world.fails("a stop ends with status 0")
        if not all(saw.whole and saw.status == 200 for saw in saws):
            cut = sum(not saw.whole for saw in saws)
            raise world.fails("a stop lets streams finish", f"{cut} of {len(saws)} were cut off")
        await world.compare()
        await world.service.start()
        world.tell(f"stopped {turn + 1} times")
    await _stubborn(world)


async def _stubborn(world: World) -> None:
    """A stream that does not end is cut off when the grace is over, and what it reported is recorded."""
    if not world.long:
        return
    saw = world.began()
    world.upstream.plans[saw.serial] = lambda identity: Script(answers.stream(identity), cut_at=600, then="stall")
    wire = await Wire.open(world.service.port)
    await wire.send(world.request(saw))
    await world.upstream.stalled[saw.serial].wait()
    world.service.terminate()
    with contextlib.suppress(TimeoutError):
        await wire.answer(saw, seconds=90)
    if await world.service.ended(120) != 0:
        raise world.fails("a stop ends with status 0")
    await world.compare()


async def _begun(world: World, asked: int) -> None:
    """Waits until the upstream has been asked so often."""
    await until(lambda: len(world.journals.sent) >= asked, 20)
