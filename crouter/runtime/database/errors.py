"""The two ways a database can fail us, without a word of what the driver said.

Driver messages quote rows, statements and addresses. They are turned into one of two errors that name a code only.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

# SQLSTATE classes 08, 53, 57 and 58: connection, resources, operator intervention, system.
_AWAY_CLASSES = frozenset({"08", "53", "57", "58"})
# A serialisation failure or a deadlock goes away by itself, like an outage.
_AWAY_CODES = frozenset({"40001", "40P01", "55P03", "25006"})


class DatabaseError(Exception):
    """The database did not do what was asked. `code` is the SQLSTATE, or empty without one."""

    def __init__(self, code: str = "") -> None:
        super().__init__(f"SQLSTATE {code}" if code else "no SQLSTATE")
        self.code = code


class DatabaseAwayError(DatabaseError):
    """The database cannot be reached or is too busy: the same request may succeed later."""


class DatabaseRefusedError(DatabaseError):
    """The database refused the statement: repeating it would not help."""


@contextmanager
def translated() -> Iterator[None]:
    """Turns every error of the driver that leaves the block into one of the two. Raises DatabaseError.

    In a task that is being cancelled it raises CancelledError: the driver may answer a cancellation with an error of
    its own, and whoever goes on after errors of the database would never end.
    """
    try:
        yield
    except (PoolTimeout, PoolClosed, TooManyRequests, psycopg.Error, OSError) as error:
        if _is_cancelled():
            raise asyncio.CancelledError from None
        raise (_translation(error) if isinstance(error, psycopg.Error) else DatabaseAwayError()) from None


def _is_cancelled() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        # Outside of a loop nothing is cancelled.
        return False
    return task is not None and task.cancelling() > 0


def _translation(error: psycopg.Error) -> DatabaseError:
    code = error.sqlstate or ""
    if code:
        away = code[:2] in _AWAY_CLASSES or code in _AWAY_CODES
    else:
        # Without a code the server did not answer: the connection failed or broke.
        away = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return DatabaseAwayError(code) if away else DatabaseRefusedError(code)
