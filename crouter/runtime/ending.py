"""Ends a task of the background for certain. What the task does is not here."""

import asyncio
from typing import Any, Final

CANCEL_AGAIN_SECONDS: Final = 0.5


async def end_task(task: "asyncio.Task[Any]") -> None:
    """Cancels a task and waits until it is over, however that ends.

    `asyncio.wait_for` of Python 3.11 loses a cancellation that comes together with a result. Libraries wait on it, so a
    task that goes on is told once more.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)
