import asyncio

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError, DatabaseRefusedError, translated


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.OperationalError("canary"), DatabaseAwayError),
        (psycopg.errors.AdminShutdown("canary"), DatabaseAwayError),
        (psycopg.errors.TooManyConnections("canary"), DatabaseAwayError),
        (psycopg.errors.QueryCanceled("canary"), DatabaseAwayError),
        (psycopg.errors.DeadlockDetected("canary"), DatabaseAwayError),
        (psycopg.errors.UniqueViolation("canary"), DatabaseRefusedError),
        (psycopg.errors.InsufficientPrivilege("canary"), DatabaseRefusedError),
        (psycopg.DataError("canary"), DatabaseRefusedError),
        (PoolTimeout("canary"), DatabaseAwayError),
        (ConnectionResetError("canary"), DatabaseAwayError),
    ],
)
def test_what_the_driver_said_is_left_behind(error: Exception, kind: type[DatabaseError]) -> None:
    with pytest.raises(DatabaseError) as caught, translated():
        raise error
    assert type(caught.value) is kind
    assert "canary" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("ours")


async def test_an_error_by_which_the_driver_answers_a_cancellation_does_not_hide_it() -> None:
    ended = []

    async def works_for_ever() -> None:
        while True:
            try:
                with translated():
                    try:
                        await asyncio.sleep(60)
                    except asyncio.CancelledError:
                        raise psycopg.errors.QueryCanceled("canary") from None
            except DatabaseError:
                ended.append("went on")

    task = asyncio.create_task(works_for_ever())
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(30):
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ended == []
