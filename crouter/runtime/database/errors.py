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

    A cancellation that comes while the block waits always leaves it: the driver may answer one with an error of its
    own, and `asyncio.wait_for` of Python 3.11, on which it waits, loses one that comes together with a result.
    """
    before = _cancellations()
    try:
        yield
    except (PoolTimeout, PoolClosed, TooManyRequests, psycopg.Error, OSError) as error:
        if _cancellations() > before:
            raise asyncio.CancelledError from None
        raise (_translation(error) if isinstance(error, psycopg.Error) else DatabaseAwayError()) from None
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    """How often the current task was told to end; none outside of a loop."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return 0
    return task.cancelling() if task is not None else 0


def _translation(error: psycopg.Error) -> DatabaseError:
    code = error.sqlstate or ""
    if code:
        away = code[:2] in _AWAY_CLASSES or code in _AWAY_CODES
    else:
        # Without a code the server did not answer: the connection failed or broke.
        away = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return DatabaseAwayError(code) if away else DatabaseRefusedError(code)
