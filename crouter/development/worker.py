"""The worker of a development run: rules of retention and jobs, in this process, beside the service.

What it says stands in a file, because the terminal shows how to use the service.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.development.errors import DevelopmentError
from crouter.development.state_folder import StateFolder
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.ending import end_task
from crouter.runtime.retention import RetentionRefusedError
from crouter.runtime.retention.settings import read_retention_settings
from crouter.runtime.work import retention_log, run_workers

GRACE_SECONDS: Final = 3.0


class Worker:
    """A worker under way."""

    def __init__(self, task: "asyncio.Task[None]") -> None:
        self._task = task

    def require_running(self) -> None:
        """Raises DevelopmentError when the worker has ended by itself."""
        if not self._task.done():
            return
        problem = self._task.exception()
        if isinstance(problem, DatabaseError | RetentionRefusedError):
            raise DevelopmentError(f"the worker could not go on: {problem}")
        raise DevelopmentError(f"the worker has ended by itself ({type(problem).__name__})")


@asynccontextmanager
async def worker(
    deployment: Deployment, generated: Path, folder: StateFolder, environ: Mapping[str, str]
) -> AsyncIterator[Worker]:
    """Works until the block ends. Raises SettingsError, RetentionRefusedError, DevelopmentError."""
    settings, stop = read_retention_settings(environ), asyncio.Event()
    try:
        said = folder.worker_log.open("a", encoding="utf-8")
    except OSError as problem:
        raise DevelopmentError(f"{folder.worker_log} cannot be written: {problem.strerror}") from problem
    with said:
        log = retention_log(deployment, said)
        task = asyncio.create_task(run_workers(settings, deployment, generated, environ, log, stop))
        try:
            yield Worker(task)
        finally:
            stop.set()
            await asyncio.wait({task}, timeout=GRACE_SECONDS)
            await end_task(task)
