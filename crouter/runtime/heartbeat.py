"""Looks whether the retention jobs have run when they should have, while the service runs: a job that stops is silent.

A rule is late when its last complete run ended longer ago than its interval and its greatest lag. It is told in the log
once, counted in a metric at every look, and turns its sentences on the proof page red until it has run again. What
should be gone and is not is asked of the data by the jobs themselves (`runtime/retention/overdue.py`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.ending import end_task
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.retention.cutoff import earlier

LOOK_SECONDS: Final = 60.0


class Heartbeat:
    """The late rules as they were at the last look; none before the first."""

    def __init__(self, deployment: Deployment, since: datetime) -> None:
        """Rules that have never run count as if they had run at `since`, the start of the service."""
        retention = deployment.retention
        self._schedules = {rule.name: rule.schedule for rule in retention.expire} | {
            rule.name: rule.schedule for rule in retention.erase
        }
        self._since = since
        self.evidence = retention.evidence
        self.late: frozenset[str] = frozenset()

    def look(self, finished: Mapping[str, datetime], now: datetime) -> frozenset[str]:
        """Judge by when each rule last ended a complete run; gives the rules that have become late."""
        before = self.late
        self.late = frozenset(
            name
            for name, schedule in self._schedules.items()
            if finished.get(name, self._since) < earlier(now, schedule.every, schedule.lag_max)
        )
        return self.late - before


@asynccontextmanager
async def watching(deployment: Deployment, database: Database, log: Log, metrics: Metrics) -> AsyncIterator[Heartbeat]:
    """A heartbeat that is looked at until the block ends."""
    heartbeat = Heartbeat(deployment, datetime.now(UTC))
    task = asyncio.create_task(watch(heartbeat, database, log, metrics))
    try:
        yield heartbeat
    finally:
        await end_task(task)


async def watch(
    heartbeat: Heartbeat,
    database: Database,
    log: Log,
    metrics: Metrics,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    pause: float = LOOK_SECONDS,
) -> None:
    """Look again and again until cancelled. With the database away nothing is known, and the last look stays."""
    if heartbeat.evidence is None:
        return
    query = sql.SQL("SELECT rule, max(finished_at) FROM {} WHERE outcome = 'complete' GROUP BY rule").format(
        database.table(heartbeat.evidence)
    )
    while True:
        try:
            rows = await database.rows(query)
        except DatabaseError:
            # Whoever serves requests tells that; here it would be told once a minute.
            rows = None
        if rows is not None:
            for rule in sorted(heartbeat.look(dict(rows), now())):
                log.error("retention_late", error=rule)
            for rule in heartbeat.late:
                metrics.count("crouter_retention_late_total", rule=rule)
        await asyncio.sleep(pause)
