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


async def test_a_cancellation_that_the_driver_lost_leaves_with_the_result() -> None:
    async def loses_it() -> str:
        with translated():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return "a result"
        return "not reached"

    task = asyncio.create_task(loses_it())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_in_a_task_that_was_cancelled_before_is_done() -> None:
    async def tidies_up() -> str:
        try:
            await asyncio.sleep(60)
        finally:
            with translated():
                await asyncio.sleep(0)
            done.append("tidied up")
        return "not reached"

    done: list[str] = []
    task = asyncio.create_task(tidies_up())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["tidied up"]
