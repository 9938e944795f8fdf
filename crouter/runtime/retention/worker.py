"""Runs every rule and every job on its schedule, until it is told to stop. Any number of workers may run at once.

Procrastinate makes one job of each due moment, whichever worker sees it first; the lock of the rule and the batches do
the rest. An outage of the database ends nothing: the worker comes back when the database does.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psycopg
from procrastinate import App, JobContext
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import DeleteJobCondition, Status
from psycopg_pool import PoolTimeout

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError
from crouter.runtime.database.migrations import Origin, check_database
from crouter.runtime.ending import end_task
from crouter.runtime.jobs.job import Job
from crouter.runtime.jobs.runner import Runner
from crouter.runtime.logs import Log
from crouter.runtime.retention.options import RetentionOptions, RetentionRefusedError
from crouter.runtime.retention.overdue import find_overdue
from crouter.runtime.retention.queue import prepare_queue, queue
from crouter.runtime.retention.report import log_overdue, log_result
from crouter.runtime.retention.run import Rule, rules_of, run_retention
from crouter.runtime.retention.schedule import cron
from crouter.runtime.words import kind_of

GRACE_SECONDS: Final = 20.0
PAUSE_SECONDS: Final = 5.0
STALLED_SECONDS: Final = 60.0
_AWAY: Final = (ConnectorException, DatabaseAwayError, PoolTimeout, psycopg.Error, OSError)


async def run_worker(
    dsn: str,
    deployment: Deployment,
    migrations: Path,
    log: Log,
    stop: asyncio.Event,
    pause: float = PAUSE_SECONDS,
    runner: Runner | None = None,
) -> None:
    """Work until `stop` is set; a batch under way is finished first. `runner` has the jobs beside the rules.

    Raises RetentionRefusedError if the database or a declared rhythm is not one to work with, DatabaseError.
    """
    app = queue(dsn)
    for rule in rules_of(deployment, None):
        _add_task(app, rule, dsn, deployment, log)
    if runner is not None:
        for job in runner.jobs:
            _add_job(app, job, runner)
    while not stop.is_set():
        try:
            await asyncio.to_thread(_require_database, dsn, deployment, migrations)
            await asyncio.to_thread(prepare_queue, dsn)
            await _work(app, stop, log, runner)
        except _AWAY as problem:
            log.error("worker_interrupted", error=kind_of(problem))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


def _require_database(dsn: str, deployment: Deployment, migrations: Path) -> None:
    check = check_database(dsn, migrations, Origin.of(deployment))
    if check.state == "unreachable":
        raise DatabaseAwayError
    if check.state != "in_step":
        raise RetentionRefusedError(check.sentence)


def _add_task(app: App, rule: Rule, dsn: str, deployment: Deployment, log: Log) -> None:
    # A job that waits stands for all that would join it. One that runs does not keep the next from waiting: were its
    # worker killed, nobody would take it away in time.
    @app.periodic(cron=cron(rule.schedule.every), periodic_id=rule.name)
    @app.task(name=f"retention.{rule.name}", queueing_lock=f"retention.{rule.name}", pass_context=True)
    def task(context: JobContext, timestamp: int) -> None:
        carry_out(dsn, deployment, rule.name, log, context.should_abort)


def _add_job(app: App, job: Job, runner: Runner) -> None:
    if job.every is None:
        return

    @app.periodic(cron=cron(job.every), periodic_id=job.label)
    @app.task(name=job.label, queueing_lock=job.label)
    async def task(timestamp: int) -> None:
        await runner.run(job.name)


def carry_out(dsn: str, deployment: Deployment, rule: str, log: Log, stopped: Callable[[], bool]) -> None:
    """One job: run a rule, then see whether anything of it is overdue. Every end is a line in the log."""
    options = RetentionOptions(rule=rule, stopped=stopped)
    try:
        run_retention(dsn, deployment, options, finished=lambda result: log_result(log, result))
        log_overdue(log, find_overdue(dsn, deployment, options))
    except (DatabaseError, RetentionRefusedError) as problem:
        log.error("run_failed", rule=rule, error=kind_of(problem))


async def _work(app: App, stop: asyncio.Event, log: Log, runner: Runner | None) -> None:
    async with app.open_async(), _woken(runner):
        await _forget_stalled(app)
        await _run_everything_once(app)
        log.info("worker_started")
        working = asyncio.create_task(
            app.run_worker_async(
                concurrency=max(1, len(app.periodic_registry.periodic_tasks)),
                delete_jobs=DeleteJobCondition.ALWAYS.value,
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE_SECONDS,
            )
        )
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working
        log.info("worker_stopped")


@asynccontextmanager
async def _woken(runner: Runner | None) -> AsyncIterator[None]:
    """Jobs are run when somebody asks for them, too, until the block ends."""
    if runner is None:
        yield
        return
    listening = asyncio.create_task(runner.listen())
    try:
        yield
    finally:
        await end_task(listening)
        await runner.close()


async def _forget_stalled(app: App) -> None:
    """Take away jobs whose worker has died: the rule's next job does their work."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)


async def _run_everything_once(app: App) -> None:
    """A worker that was away for long has missed moments of its schedule; it does not wait for the next ones."""
    for periodic in app.periodic_registry.periodic_tasks.values():
        with contextlib.suppress(AlreadyEnqueued):
            await periodic.task.defer_async(timestamp=int(time.time()))
