"""Ends a task of the background for certain. What the task does is not here."""

import asyncio
from typing import Any, Final

CANCEL_AGAIN_SECONDS: Final = 0.5


async def end_task(task: "asyncio.Task[Any]") -> None:
    """Cancels a task and waits until it is over, however that ends.

    The database's driver may take a cancellation for its own and go on: then the task is told once more.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)
