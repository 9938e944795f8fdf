"""A runner for jobs that tests make, on a migrated database."""

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crouter.runtime.database.pool import Database
from crouter.runtime.jobs.job import Job, JobContext
from crouter.runtime.jobs.runner import Runner
from crouter.runtime.logs import Log
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.secret import Secret
from crouter.runtime.settings import DatabaseSettings
from tests.unit.runtime.retention.databases import Declared


@dataclass
class Worker:
    """A runner as one process has it, and what it said."""

    runner: Runner
    context: JobContext
    out: io.StringIO
    stopped: list[bool]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@asynccontextmanager
async def worker(declared: Declared, dsn: str, jobs: Sequence[Job], **environ: str) -> AsyncIterator[Worker]:
    deployment, out, stopped = declared.deployment, io.StringIO(), list[bool]()
    (stream,) = (stream for stream in deployment.logs if stream.name == "retention")
    database = Database(DatabaseSettings(Secret(dsn), transaction_pooler=False), deployment.database_schema)
    await database.open()
    context = JobContext(
        deployment=deployment,
        generated=declared.folder,
        environ=environ,
        database=database,
        reader=PurposeReader(deployment, database),
        outbox=Outbox(deployment),
        log=Log(stream, out, strict=True),
        now=lambda: datetime.now(UTC),
        stopped=lambda: bool(stopped),
    )
    try:
        yield Worker(Runner(jobs, context), context, out, stopped)
    finally:
        await database.close()
