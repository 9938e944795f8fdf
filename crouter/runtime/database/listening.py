"""Listens on one channel of the database on a connection of its own, and reconnects when it breaks."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from psycopg import sql

from crouter.runtime.database.errors import DatabaseError, translated
from crouter.runtime.database.pool import Connection, Database

HEARTBEAT_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 2.0


class Listener(Protocol):
    """Is told what is heard, and when nothing can be."""

    def began(self) -> None:
        """From now on every notification is heard; earlier ones may have been missed."""

    async def heard(self, payload: str) -> None:
        """One notification. Raises DatabaseError where it could not be acted upon."""

    def ended(self, error: DatabaseError | None) -> None:
        """Nothing is heard any more, until `began`; called again for every failure to reconnect."""


async def listen(
    database: Database,
    channel: str,
    listener: Listener,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Listens until cancelled. Returns at once where nobody can: behind a transaction pooler."""
    if not database.can_listen:
        return
    while True:
        error: DatabaseError | None = None
        try:
            connection = await database.dedicated()
            try:
                await _listen(connection, channel, listener)
            finally:
                await connection.close()
        except DatabaseError as problem:
            error = problem
        finally:
            listener.ended(error)
        await sleep(RECONNECT_SECONDS)


async def _listen(connection: Connection, channel: str, listener: Listener) -> None:
    with translated():
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        listener.began()
        while True:
            async for notification in connection.notifies(timeout=HEARTBEAT_SECONDS):
                await listener.heard(notification.payload)
            # A connection that died without a word would be waited on for ever.
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await connection.execute("SELECT 1")
