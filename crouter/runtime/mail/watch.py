"""Shows in a metric how many mails wait and how many were given up, for as long as the service runs.

A mail that is parked needs somebody who looks at it: that is the alarm for mails that cannot be sent.
"""

import asyncio
import contextlib
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.metrics import Metrics
from crouter.runtime.names import OUTBOX

METRIC: Final = "crouter_mail"
LOOK_SECONDS: Final = 60.0
STATES: Final = ("waiting", "parked")
_COUNT: Final = sql.SQL("SELECT state, count(*) FROM {} WHERE state = ANY(%s) GROUP BY state")


async def watch_mail(deployment: Deployment, database: Database, metrics: Metrics, pause: float = LOOK_SECONDS) -> None:
    """Look again and again until cancelled. With the database away the last look stays."""
    if deployment.mail is None:
        return
    seen: dict[str, int] = {}
    metrics.show(METRIC, lambda: [({"state": state}, count) for state, count in seen.items()])
    query = _COUNT.format(database.table(OUTBOX))
    while True:
        # Whoever serves requests tells that the database is away; here it would be told once a minute.
        with contextlib.suppress(DatabaseError):
            found = {str(state): int(count) for state, count in await database.rows(query, (list(STATES),))}
            seen.update({state: found.get(state, 0) for state in STATES})
        await asyncio.sleep(pause)
