"""Connections to PostgreSQL that act as the service's role, see its schema only and never wait long."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, LiteralString, TypeVar

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from crouter.runtime.database.errors import DatabaseAwayError, translated
from crouter.runtime.settings import StoreSettings

SERVICE_ROLE: Final = "crouter_service"
CONNECTIONS_MAX: Final = 16
WAIT_SECONDS: Final = 3.0
STATEMENT_SECONDS: Final = 5
CONNECT_SECONDS: Final = 3
IDLE_SECONDS: Final = 300.0
QUICK_SECONDS: Final = 1.0

Connection = AsyncConnection[TupleRow]
Statement = sql.SQL | sql.Composed | LiteralString
Result = TypeVar("Result")


class Database:
    """The database of one deployment, as one role.

    With a transaction pooler in between, a session belongs to nobody: role and search path are then set in
    each transaction, and prepared statements are off. Raises DatabaseError only, never a driver's error.
    """

    def __init__(self, settings: StoreSettings, schema: str, role: str = SERVICE_ROLE) -> None:
        self._settings = settings
        self._schema = schema
        self._role = role
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            settings.database_url.reveal(),
            kwargs=self._connection_arguments(),
            configure=self._configure,
            min_size=0,
            max_size=CONNECTIONS_MAX,
            open=False,
            name="crouter",
            timeout=WAIT_SECONDS,
            max_idle=IDLE_SECONDS,
            # Retrying is left to the next request: the pool's own pauses grow to minutes.
            reconnect_timeout=0.5,
            max_waiting=1000,
        )

    @property
    def can_listen(self) -> bool:
        """Whether notifications can be received: not through a transaction pooler."""
        return not self._settings.transaction_pooler

    async def open(self) -> None:
        """Starts the pool. Does not wait for the database."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Ends all connections."""
        await self._pool.close(timeout=WAIT_SECONDS)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a transaction, committed at the end of the block. Raises DatabaseError."""
        with translated():
            async with self._pool.connection() as connection, connection.transaction():
                if self._settings.transaction_pooler:
                    await self._prepare(connection, "SET LOCAL ")
                yield connection

    async def repeatable(self, work: Callable[[Connection], Awaitable[Result]]) -> Result:
        """Runs `work` in a transaction, a second time if its connection turns out to be dead.

        Only for work that may run twice. Raises DatabaseError.
        """
        began = time.monotonic()
        try:
            async with self.transaction() as connection:
                return await work(connection)
        except DatabaseAwayError:
            # After a restart of the server every idle connection of the pool fails once, and at once.
            if time.monotonic() - began > QUICK_SECONDS:
                raise
        with translated():
            await self._pool.check()
        async with self.transaction() as connection:
            return await work(connection)

    async def rows(self, query: Statement, parameters: tuple[Any, ...] | Mapping[str, Any] = ()) -> list[TupleRow]:
        """All rows of a reading statement. Raises DatabaseError."""

        async def read(connection: Connection) -> list[TupleRow]:
            cursor = await connection.execute(query, parameters)
            return await cursor.fetchall()

        return await self.repeatable(read)

    async def dedicated(self) -> Connection:
        """A connection outside the pool, in autocommit, for listening. The caller closes it. Raises DatabaseError."""
        with translated():
            connection = await AsyncConnection.connect(
                self._settings.database_url.reveal(), **self._connection_arguments()
            )
            await connection.set_autocommit(True)
            await self._configure(connection)
        return connection

    def table(self, name: str) -> sql.Identifier:
        """The qualified name of a record's table."""
        return sql.Identifier(self._schema, name)

    def _connection_arguments(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "crouter"}
        if self._settings.transaction_pooler:
            arguments["prepare_threshold"] = None
        else:
            # A server that vanished without a word is noticed by the kernel.
            arguments |= {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        return arguments

    async def _configure(self, connection: Connection) -> None:
        if self._settings.transaction_pooler:
            return
        await self._prepare(connection, "SET ")
        if not connection.autocommit:
            await connection.commit()

    async def _prepare(self, connection: Connection, verb: LiteralString) -> None:
        statements = sql.SQL("; ").join(
            sql.SQL(verb) + statement
            for statement in (
                sql.SQL("ROLE {}").format(sql.Identifier(self._role)),
                sql.SQL("search_path TO {}, pg_temp").format(sql.Identifier(self._schema)),
                sql.SQL("TIME ZONE 'UTC'"),
                sql.SQL("statement_timeout TO {}").format(sql.Literal(f"{STATEMENT_SECONDS}s")),
                sql.SQL("idle_in_transaction_session_timeout TO {}").format(sql.Literal(f"{STATEMENT_SECONDS}s")),
            )
        )
        await connection.execute(statements)
