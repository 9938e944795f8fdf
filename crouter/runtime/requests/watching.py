"""Shows, while the service runs, how many privacy requests and deletions wait, and turns their sentences red when late.

The database is asked, not the job: a job that has stopped cannot hide what it did not do.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.heartbeat import LOOK_SECONDS, Heartbeat
from crouter.runtime.metrics import Metrics, Shown
from crouter.runtime.names import DATA_REQUEST, ERASURE, ERASURE_STEP

REQUESTS_GAUGE: Final = "crouter_privacy_requests"
STEPS_GAUGE: Final = "crouter_erasure_steps"
SOON: Final = timedelta(days=7)


class Waiting:
    """What waits, as of the last look. Counts are by state: open, due_soon, late."""

    def __init__(self, deployment: Deployment, database: Database, heartbeat: Heartbeat) -> None:
        self._database, self._heartbeat = database, heartbeat
        self._deletion = next((rule.name for rule in deployment.retention.erase), "")
        self.requests: Mapping[str, int] = {}
        self.steps: Mapping[str, int] = {}

    async def look(self, now: datetime) -> None:
        """Raises DatabaseError."""
        requests = sql.SQL(
            "SELECT count(*), count(*) FILTER (WHERE due_at <= %s), count(*) FILTER (WHERE due_at <= %s) FROM {} "
            "WHERE state IN ('received', 'acknowledged', 'extended')"
        ).format(self._database.table(DATA_REQUEST))
        steps = sql.SQL("SELECT count(*), count(*) FILTER (WHERE error IS NOT NULL) FROM {} WHERE state = 'waiting'")
        late = sql.SQL("SELECT count(*) FROM {} WHERE state IN ('waiting', 'erased') AND due_at <= %s").format(
            self._database.table(ERASURE)
        )
        ((opened, soon, overdue),) = await self._database.rows(requests, (now + SOON, now))
        ((waiting, failing),) = await self._database.rows(steps.format(self._database.table(ERASURE_STEP)))
        ((deletions,),) = await self._database.rows(late, (now,))
        self.requests = {"open": opened, "due_soon": soon, "late": overdue}
        self.steps = {"waiting": waiting, "failing": failing, "late": deletions}
        red = {"requests": overdue, self._deletion: deletions}
        self._heartbeat.overdue = frozenset(part for part, count in red.items() if count)


def show_waiting(metrics: Metrics, waiting: Waiting) -> None:
    """Lets the gauges tell what waits."""

    def requests() -> Shown:
        return _by_state(waiting.requests)

    def steps() -> Shown:
        return _by_state(waiting.steps)

    metrics.show(REQUESTS_GAUGE, requests)
    metrics.show(STEPS_GAUGE, steps)


async def watch_requests(
    waiting: Waiting, now: Callable[[], datetime] = lambda: datetime.now(UTC), pause: float = LOOK_SECONDS
) -> None:
    """Look again and again until cancelled. With the database away the last look stays."""
    while True:
        # Whoever serves requests tells that the database is away; here it would be told once a minute.
        with contextlib.suppress(DatabaseError):
            await waiting.look(now())
        await asyncio.sleep(pause)


def _by_state(counts: Mapping[str, int]) -> Iterator[tuple[dict[str, str], float]]:
    for state, count in counts.items():
        yield {"state": state}, float(count)
