"""One row for each job: when it last began, when it last ended well, how its last run ended. No personal data."""

import uuid
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.names import JOB_RUN

_NAMES: Final = uuid.UUID("1c7e0d3a-5b1f-5a0c-9a6e-2f6b3f0c8d11")
_BEGAN: Final = sql.SQL(
    "INSERT INTO {} (id, name, started_at, outcome) VALUES (%s, %s, clock_timestamp(), 'running') "
    "ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, outcome = excluded.outcome"
)
_COMPLETED: Final = sql.SQL(
    "UPDATE {} SET outcome = 'complete', finished_at = clock_timestamp(), error = NULL WHERE id = %s"
)
_FAILED: Final = sql.SQL("UPDATE {} SET outcome = 'failed', error = %s WHERE id = %s")


class JobEvidence:
    """Writes the row of a job. Without a declared record for it, nothing is written."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        declared = any(record.name == JOB_RUN for record in deployment.records)
        self._table = database.table(JOB_RUN) if declared else None

    async def began(self, connection: Connection, job: str) -> None:
        """A run has begun. Call with the job's lock held. Raises the driver's errors."""
        await self._execute(connection, _BEGAN, (uuid.uuid5(_NAMES, job), job))

    async def completed(self, connection: Connection, job: str) -> None:
        """The run did all its work. Raises the driver's errors."""
        await self._execute(connection, _COMPLETED, (uuid.uuid5(_NAMES, job),))

    async def failed(self, connection: Connection, job: str, error: str) -> None:
        """The run was ended by `error`, the kind of an exception. Raises the driver's errors."""
        await self._execute(connection, _FAILED, (error, uuid.uuid5(_NAMES, job)))

    async def _execute(self, connection: Connection, statement: sql.SQL, values: tuple[object, ...]) -> None:
        if self._table is not None:
            await connection.execute(statement.format(self._table), values)
