"""One process of all does what each could do: a lock that goes with its connection, also behind a pooler."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from crouter.contract.deployment import Deployment
from crouter.runtime.database.alone import alone
from crouter.runtime.database.pool import Database
from crouter.runtime.secret import Secret
from crouter.runtime.settings import DatabaseSettings


@pytest_asyncio.fixture(params=[False, True], ids=["sessions", "transaction pooler"])
async def database(request: pytest.FixtureRequest, deployment: Deployment, dsn: str) -> AsyncIterator[Database]:
    found = Database(DatabaseSettings(Secret(dsn), request.param), deployment.database_schema, statement_seconds=1)
    await found.open()
    yield found
    await found.close()


def holders(connection: psycopg.Connection[Any]) -> list[int]:
    """The database's processes that hold such a lock."""
    found = connection.execute(
        "SELECT pid FROM pg_locks JOIN pg_database AS d ON d.oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database()"
    )
    return [row[0] for row in found.fetchall()]


async def test_one_of_all_is_alone_and_the_next_one_after_it(database: Database) -> None:
    for _ in range(2):
        async with alone(database, "work") as first, alone(database, "work") as second:
            assert (first, second) == (True, False)
            async with alone(database, "other work") as other:
                assert other


async def test_it_outlasts_a_wait_and_holds_no_row_from_being_cleaned_up(database: Database, dsn: str) -> None:
    async with alone(database, "work"):
        # Longer than other transactions of this service may wait.
        await asyncio.sleep(1.5)
        async with alone(database, "work") as second:
            assert not second
        with psycopg.connect(dsn) as connection:
            kept = connection.execute(
                "SELECT backend_xid, backend_xmin FROM pg_stat_activity WHERE pid = ANY(%s)", (holders(connection),)
            )
            assert kept.fetchall() == [(None, None)]


async def test_it_goes_with_a_block_that_fails_and_with_a_connection_that_is_killed(
    database: Database, dsn: str
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with alone(database, "work"):
            raise ZeroDivisionError
    async with alone(database, "work") as first:
        assert first
        with psycopg.connect(dsn, autocommit=True) as connection:
            (holder,) = holders(connection)
            connection.execute("SELECT pg_terminate_backend(%s)", (holder,))
        await asyncio.sleep(0.2)
        async with alone(database, "work") as second:
            assert second
