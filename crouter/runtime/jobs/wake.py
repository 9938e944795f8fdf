"""Asks for a run of a job now, from any process that reaches the database, and hears that in the worker.

A notification of PostgreSQL: it is sent when the caller's transaction commits, costs little when nobody listens, and
carries the name of a job and nothing else. One that is lost costs time only, since the job's rhythm goes on.
"""

from collections.abc import Callable
from typing import Any, Final

from psycopg import AsyncConnection

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.listening import listen
from crouter.runtime.database.pool import Database

WAKE_CHANNEL: Final = "crouter_jobs"


async def wake(connection: AsyncConnection[Any], job: str) -> None:
    """Ask for a run of `job` once the transaction of `connection` is committed. Raises the driver's errors."""
    await connection.execute("SELECT pg_notify(%s, %s)", (WAKE_CHANNEL, job))


async def listen_for_wakes(database: Database, woken: Callable[[str], None]) -> None:
    """Tell `woken` the name of each job that somebody asks for, until cancelled."""
    await listen(database, WAKE_CHANNEL, _Wakes(woken))


class _Wakes:
    def __init__(self, woken: Callable[[str], None]) -> None:
        self._woken = woken

    def began(self) -> None:
        pass

    async def heard(self, payload: str) -> None:
        self._woken(payload)

    def ended(self, error: DatabaseError | None) -> None:
        # The rhythm of the jobs goes on, and they tell that the database is away.
        pass
