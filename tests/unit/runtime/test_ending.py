"""A task of the background ends, also one that loses a cancellation."""

import asyncio

from crouter.runtime.ending import end_task


async def test_a_task_that_loses_the_first_cancellation_is_told_once_more() -> None:
    lost: list[str] = []

    async def works_for_ever() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append("once")

    task = asyncio.create_task(works_for_ever())
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await end_task(task)
    assert lost == ["once"]
    assert task.cancelled()


async def test_a_task_that_is_over_is_left_alone() -> None:
    async def fails() -> None:
        raise ValueError

    task = asyncio.create_task(fails())
    await asyncio.wait((task,))
    await end_task(task)
    assert isinstance(task.exception(), ValueError)
