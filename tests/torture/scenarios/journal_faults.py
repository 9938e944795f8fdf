"""The service's journal has no room or cannot be written, alone and together with an absent database."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.torture.disks import Disk, disk
from tests.torture.traffic import under_traffic
from tests.torture.world import World

# Room for what several processes set aside, killed ones among them.
JOURNAL_MEGABYTES = 100


async def play_journal_unwritable(world: World) -> None:
    """No byte can be written any more, then again; the database is there, then away, and the service is killed, too."""
    for turn in range(world.amount(1, 40)):
        async with under_traffic(world):
            await asyncio.sleep(0.2)
            world.service.forbid_files()
            await asyncio.sleep(0.5)
            world.service.allow_files()
        await world.compare()
        async with under_traffic(world):
            world.service.forbid_files()
            await asyncio.to_thread(world.ground.postgres.stop)
            await asyncio.sleep(world.chance.uniform(0.1, 0.5))
            if turn % 2:
                await world.kill()
            else:
                world.service.allow_files()
            await asyncio.to_thread(world.ground.postgres.start)
        if not world.service.running:
            await world.service.start()
        await world.compare()
        world.tell(f"unwritable {turn + 1} times")


async def play_journal_full(world: World) -> None:
    """No room for another file, while it runs and when it starts."""
    small = _journal_disk(world)
    await _hurt(world, small.fill, small.clear)


async def play_journal_read_only(world: World) -> None:
    """The folder can be read and not written when it starts."""
    small = _journal_disk(world)
    await world.kill()
    await _hurt(world, small.read_only, small.writable)


async def _hurt(world: World, hurt: Callable[[], None], heal: Callable[[], None]) -> None:
    """What was recorded before has to come through; a service that cannot start says so."""
    for turn in range(world.amount(1, 20)):
        if world.service.running:
            async with under_traffic(world):
                await asyncio.to_thread(world.ground.postgres.stop)
                await asyncio.to_thread(hurt)
                await asyncio.sleep(0.4)
                await world.kill()
            await asyncio.to_thread(world.ground.postgres.start)
        else:
            await asyncio.to_thread(hurt)
        try:
            await world.service.start()
        except AssertionError as error:
            if "CROUTER_JOURNAL" not in str(error):
                raise
        else:
            async with under_traffic(world):
                await asyncio.sleep(0.3)
            await world.kill()
        await asyncio.to_thread(heal)
        await world.service.start()
        await world.compare()
        await world.kill()
        world.tell(f"{turn + 1} times")


@contextlib.contextmanager
def journal_on_small_disk() -> Iterator[dict[str, str]]:
    """The setting that puts the journal on a small file system of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="crouter-torture-") as folder,
        disk(Path(folder, "journal"), JOURNAL_MEGABYTES) as small,
    ):
        inside = small.folder / "in"
        inside.mkdir()
        yield {"CROUTER_JOURNAL": str(inside)}


def _journal_disk(world: World) -> Disk:
    return Disk(Path(world.environ["CROUTER_JOURNAL"]).parent)
