"""Records what was chosen about analytics, so that it can be shown: choice, random number, policy, time.

There is no account, no address and no browser in it: whose record it is knows the browser alone, by its cookie.
"""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.metrics import Metrics
from crouter.runtime.names import CONSENT
from crouter.runtime.web.consent_cookie import Choice

METRIC: Final = "crouter_consent_records_total"
# Nobody has to sign in for this, so a process writes so many in a second and keeps room for so many at once.
PER_SECOND: Final = 10.0
AT_ONCE: Final = 100.0


class ConsentRecords:
    """Writes one row for each choice that differs from the one before it."""

    def __init__(
        self, deployment: Deployment, database: Database, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._digest = deployment.policy_digest
        self._metrics = metrics
        self._clock = clock
        self._room, self._looked_at = AT_ONCE, clock()
        # One statement: two tabs that tell the same choice at once leave at most two rows, and both are true.
        self._insert = sql.SQL(
            "INSERT INTO {table} (id, consent_id, choice, policy_digest, recorded_at) SELECT %s, %s, %s, %s, %s "
            "WHERE (SELECT choice FROM {table} WHERE consent_id = %s ORDER BY recorded_at DESC LIMIT 1) "
            "IS DISTINCT FROM %s"
        ).format(table=database.table(CONSENT))

    @staticmethod
    def is_declared(deployment: Deployment) -> bool:
        """Whether the policy has a record for it."""
        return any(record.name == CONSENT for record in deployment.records)

    async def record(self, choice: Choice) -> bool:
        """Writes the choice, unless it is known or too many come. Says whether it need not be told again."""
        if not self._has_room():
            self._metrics.count(METRIC, outcome="too_many")
            return False
        said = "accepted" if choice.analytics else "refused"
        row = (uuid.uuid4(), choice.consent_id, said, self._digest, datetime.now(UTC), choice.consent_id, said)
        try:
            async with self._database.transaction() as connection:
                cursor = await connection.execute(self._insert, row)
                written = cursor.rowcount
        except DatabaseError:
            self._metrics.count(METRIC, outcome="away")
            return False
        self._metrics.count(METRIC, outcome="written" if written else "known")
        return True

    def _has_room(self) -> bool:
        now = self._clock()
        self._room = min(AT_ONCE, self._room + (now - self._looked_at) * PER_SECOND)
        self._looked_at = now
        if self._room < 1.0:
            return False
        self._room -= 1.0
        return True
