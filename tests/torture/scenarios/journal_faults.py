"""The service's journal has no room or cannot be written, alone and together with an absent database."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.torture.disks import Disk, disk
from tests.torture.traffic import under_traffic
from tests.torture.world import World

JOURNAL_MEGABYTES = 2


async def play_journal_full(world: World) -> None:
    """No byte fits any more; then room again. The service is killed in both states, too."""
    small = _journal_disk(world)
    for turn in range(world.amount(1, 20)):
        await _hurt(world, small.fill, small.clear)
        world.tell(f"full {turn + 1} times")


async def play_journal_read_only(world: World) -> None:
    """The disk turns read-only, as a failing one does."""
    small = _journal_disk(world)
    for turn in range(world.amount(1, 20)):
        await _hurt(world, small.read_only, small.writable)
        world.tell(f"read-only {turn + 1} times")


async def _hurt(world: World, hurt: Callable[[], None], heal: Callable[[], None]) -> None:
    async with under_traffic(world):
        await asyncio.sleep(0.3)
        await asyncio.to_thread(hurt)
        await asyncio.sleep(0.5)
    await world.compare()
    async with under_traffic(world):
        await asyncio.to_thread(world.ground.postgres.stop)
        await asyncio.sleep(0.3)
        if world.chance.random() < 0.5:
            await world.kill()
        await asyncio.to_thread(heal)
        await asyncio.to_thread(world.ground.postgres.start)
    if not world.service.running:
        await world.service.start()
    await world.compare()


@contextlib.contextmanager
def journal_on_small_disk() -> Iterator[dict[str, str]]:
    """The setting that puts the journal on a small file system of its own."""
    with tempfile.TemporaryDirectory(prefix="crouter-torture-") as folder:
        with disk(Path(folder, "journal"), JOURNAL_MEGABYTES) as small:
            inside = small.folder / "in"
            inside.mkdir()
            yield {"CROUTER_JOURNAL": str(inside)}


def _journal_disk(world: World) -> Disk:
    return Disk(Path(world.environ["CROUTER_JOURNAL"]).parent)
