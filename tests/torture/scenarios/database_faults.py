"""PostgreSQL is stopped, killed, locked, made read-only, filled up; its connections break. Requests keep coming."""

import asyncio
import contextlib
from collections.abc import Iterator

import psycopg
from psycopg import sql

from tests.torture.disks import Disk, disk
from tests.torture.ground import Ground
from tests.torture.traffic import under_traffic
from tests.torture.world import World

DISK_MEGABYTES = 200


async def play_database_stopped(world: World) -> None:
    """A clean stop and a start, as an operator's; then a long absence."""
    for turn in range(world.amount(1, 10)):
        async with under_traffic(world):
            await _a_while(world)
            await asyncio.to_thread(world.ground.postgres.stop)
            await asyncio.sleep(world.chance.uniform(0.3, 1.5) if turn else world.amount(1, 90))
            await asyncio.to_thread(world.ground.postgres.start)
            await _a_while(world)
        await world.compare()
        world.tell(f"stopped {turn + 1} times")


async def play_database_killed(world: World) -> None:
    """Killed with all its processes, and recovered."""
    for turn in range(world.amount(1, 40)):
        async with under_traffic(world):
            await _a_while(world)
            await asyncio.to_thread(world.ground.postgres.kill)
            await asyncio.sleep(world.chance.uniform(0.0, 0.5))
            await asyncio.to_thread(world.ground.postgres.start)
            await _a_while(world)
        await world.compare()
        world.tell(f"killed {turn + 1} times")


async def play_both_killed(world: World) -> None:
    """The database and, while it is away, the service: what a client saw the end of is not forgotten."""
    for turn in range(world.amount(1, 40)):
        async with under_traffic(world):
            await _a_while(world)
            await asyncio.to_thread(world.ground.postgres.kill)
            await asyncio.sleep(world.chance.uniform(0.0, 0.5))
            await world.kill()
        await asyncio.to_thread(world.ground.postgres.start)
        await world.service.start()
        await world.compare()
        world.tell(f"killed both {turn + 1} times")


async def play_database_locked(world: World) -> None:
    """Somebody holds the tables; the service waits, and does not wait for ever."""
    tables = ["usage", "ledger", "api_key", "account"]
    for table in tables if world.long else [world.chance.choice(tables)]:
        async with under_traffic(world):
            await _a_while(world)
            with _locked(world.dsn(), table):
                await asyncio.sleep(world.amount(1, 20))
        await world.compare()
        world.tell(f"locked {table}")


async def play_database_read_only(world: World) -> None:
    """A failover that is not over: reads work, writes do not."""
    async with under_traffic(world):
        await _a_while(world)
        _set_read_only(world, True)
        await asyncio.sleep(world.amount(1, 30))
        _set_read_only(world, False)
        await _a_while(world)


async def play_connections_cut(world: World) -> None:
    """Connections to the database end at any moment, also in the middle of a transaction."""
    for turn in range(world.amount(1, 100)):
        async with under_traffic(world):
            for _ in range(5):
                await asyncio.sleep(world.chance.uniform(0.0, 0.2))
                await asyncio.to_thread(_cut_connections, world, 0.5)
        await world.compare()
        world.tell(f"cut {5 * (turn + 1)} times")


async def play_database_full(world: World) -> None:
    """No room for a row, a page or a segment of its log; then room again."""
    small = Disk(world.ground.postgres.data.parent)
    for turn in range(world.amount(1, 10)):
        async with under_traffic(world, per_second=100):
            await _a_while(world)
            await asyncio.to_thread(small.fill)
            await asyncio.to_thread(_require_full, world)
            await asyncio.sleep(world.amount(1, 30))
            await asyncio.to_thread(small.clear)
            # Without room for its log the server ends itself; an operator starts it again.
            await asyncio.to_thread(world.ground.postgres.ensure)
            await _a_while(world)
        await world.compare()
        world.tell(f"full {turn + 1} times")


@contextlib.contextmanager
def on_small_disk(ground: Ground) -> Iterator[Ground]:
    """Ground whose database is on a small file system of its own."""
    with disk(ground.folder / "disk", DISK_MEGABYTES) as small, ground.another_server(small.folder / "pg") as other:
        yield other


async def _a_while(world: World) -> None:
    await asyncio.sleep(world.chance.uniform(0.1, 0.5))


@contextlib.contextmanager
def _locked(dsn: str, table: str) -> Iterator[None]:
    with psycopg.connect(dsn) as connection:
        lock = sql.SQL("LOCK TABLE crouter.{} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table))
        connection.execute(lock)
        yield
        connection.rollback()


def _require_full(world: World) -> None:
    """The fault is there: nobody can write a page. Raises AssertionError."""
    try:
        with psycopg.connect(world.ground.postgres.dsn(), connect_timeout=5) as connection:
            connection.execute("CREATE TABLE room AS SELECT repeat('x', 1000) FROM generate_series(1, 10000)")
            connection.rollback()
    except psycopg.Error:
        return
    raise AssertionError("the database has room left")


def _set_read_only(world: World, is_on: bool) -> None:
    with psycopg.connect(world.ground.postgres.dsn(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(
                sql.Identifier(world.database), sql.Literal("on" if is_on else "off")
            )
        )
    _cut_connections(world, 1.0)


def _cut_connections(world: World, share: float) -> None:
    with psycopg.connect(world.ground.postgres.dsn(), autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND random() <= %s",
            (world.database, share),
        )
