"""Puts together what jobs work with, for as long as a worker runs."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.environment import SettingsError
from crouter.runtime.jobs.job import JobContext
from crouter.runtime.jobs.registry import jobs_of
from crouter.runtime.jobs.runner import Runner
from crouter.runtime.logs import Log
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.settings import DatabaseSettings

STATEMENT_SECONDS: Final = 60


def require_job_settings(deployment: Deployment, environ: Mapping[str, str]) -> None:
    """Raises SettingsError with everything that jobs of this deployment need and the environment does not say."""
    problems: list[str] = []
    for job in jobs_of(deployment):
        try:
            job.settings(deployment, environ)
        except SettingsError as refusal:
            problems += (problem for problem in refusal.problems if problem not in problems)
    if problems:
        raise SettingsError(tuple(problems))


@asynccontextmanager
async def jobs_running(
    deployment: Deployment,
    settings: DatabaseSettings,
    generated: Path,
    environ: Mapping[str, str],
    log: Log,
    stopped: Callable[[], bool],
) -> AsyncIterator[Runner]:
    """The jobs of this deployment, on a database of their own until the block ends."""
    database = Database(settings, deployment.database_schema, statement_seconds=STATEMENT_SECONDS)
    await database.open()
    try:
        yield Runner(
            jobs_of(deployment),
            JobContext(
                deployment=deployment,
                generated=generated,
                environ=environ,
                database=database,
                reader=PurposeReader(deployment, database),
                outbox=Outbox(deployment),
                log=log,
                now=lambda: datetime.now(UTC),
                stopped=stopped,
            ),
        )
    finally:
        await database.close()
