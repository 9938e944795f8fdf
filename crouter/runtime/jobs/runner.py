"""Runs jobs in this process: each at most once at a time on all nodes, with evidence, apart from one another.

A lock in the database, held by a connection of its own, keeps a job to one node; it goes with the connection, so that a
killed process holds nothing. Who is asked for a job that is under way here runs it once more afterwards; who is asked
for one that is under way elsewhere leaves it, because the other process was asked as well.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from crouter.runtime.database.errors import DatabaseError, translated
from crouter.runtime.database.pool import Connection
from crouter.runtime.jobs.evidence import JobEvidence
from crouter.runtime.jobs.job import Job, JobContext
from crouter.runtime.jobs.wake import listen_for_wakes
from crouter.runtime.words import kind_of

GRACE_SECONDS: Final = 20.0


@dataclass(slots=True)
class _State:
    """A job in this process."""

    job: Job
    under_way: bool = False
    again: bool = False


class Runner:
    """Runs `jobs`. Nothing that a job raises leaves it."""

    def __init__(self, jobs: Sequence[Job], context: JobContext) -> None:
        self.jobs = tuple(jobs)
        self._context = context
        self._states = {job.name: _State(job) for job in jobs}
        assert len(self._states) == len(self.jobs), "a job's name is its own"
        self._evidence = JobEvidence(context.deployment, context.database)
        self._woken: set[asyncio.Task[None]] = set()

    async def run(self, name: str) -> None:
        """Run a job now, unless it is under way; then it runs once more. Returns when it is over."""
        state = self._states[name]
        state.again = True
        if state.under_way:
            return
        state.under_way = True
        try:
            while state.again and not self._context.stopped():
                state.again = False
                await self._once(state.job)
        finally:
            state.under_way = False

    async def listen(self) -> None:
        """Run what `wake` asks for, until cancelled."""
        await listen_for_wakes(self._context.database, self._wake)

    async def close(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Let woken runs that are under way come to an end, or cut them off."""
        if not self._woken:
            return
        _, late = await asyncio.wait(self._woken, timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _wake(self, name: str) -> None:
        # A newer version of the service may ask for a job that this one does not have.
        if name not in self._states:
            return
        task = asyncio.get_running_loop().create_task(self.run(name))
        self._woken.add(task)
        task.add_done_callback(self._woken.discard)

    async def _once(self, job: Job) -> None:
        try:
            async with self._locked(job) as connection:
                if connection is not None:
                    await self._with_evidence(job, connection)
        except DatabaseError as problem:
            self._context.log.error("job_failed", job=job.label, error=kind_of(problem))

    async def _with_evidence(self, job: Job, connection: Connection) -> None:
        with translated():
            await self._evidence.began(connection, job.name)
        try:
            async with asyncio.timeout(job.seconds_max):
                await job.run(self._context)
        except Exception as problem:  # noqa: BLE001  one job's failure is no other's, and it is told
            error = kind_of(problem)
            self._context.log.error("job_failed", job=job.label, error=error)
            with translated():
                await self._evidence.failed(connection, job.name, error)
            return
        with translated():
            await self._evidence.completed(connection, job.name)

    @asynccontextmanager
    async def _locked(self, job: Job) -> AsyncIterator[Connection | None]:
        """A connection that holds the job's lock, or None where another process does. Raises DatabaseError."""
        connection = await self._context.database.dedicated()
        try:
            with translated():
                cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (_lock_key(job),))
                row = await cursor.fetchone()
            assert row is not None
            yield connection if row[0] else None
        finally:
            with contextlib.suppress(DatabaseError), translated():
                await connection.close()


def _lock_key(job: Job) -> int:
    digest = hashlib.sha256(f"crouter job {job.name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
