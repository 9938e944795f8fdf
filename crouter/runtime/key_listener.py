"""Listens for changes of keys on a connection of its own, and reconnects when it breaks."""

import asyncio
from typing import Final

from psycopg import sql

from crouter.runtime.database.errors import DatabaseError, translated
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.key_lookup import KeyLookup
from crouter.runtime.keys import KEYS_CHANNEL
from crouter.runtime.logs import Log
from crouter.runtime.words import kind_of

HEARTBEAT_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 2.0


async def listen_for_keys(database: Database, lookup: KeyLookup, log: Log) -> None:
    """Keeps `lookup` in step with the database until cancelled. Returns at once where nobody can listen."""
    if not database.can_listen:
        return
    told = False
    while True:
        try:
            connection = await database.dedicated()
            try:
                await _listen(connection, lookup)
            finally:
                await connection.close()
        except DatabaseError as error:
            if not told:
                log.warning("key_listener_down", error=kind_of(error))
            told = True
        else:
            told = False
        finally:
            lookup.listening = False
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen(connection: Connection, lookup: KeyLookup) -> None:
    with translated():
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(KEYS_CHANNEL)))
        lookup.distrust()
        lookup.listening = True
        while True:
            async for notification in connection.notifies(timeout=HEARTBEAT_SECONDS):
                lookup.forget(notification.payload)
            # A connection that died without a word would be waited on for ever.
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                await connection.execute("SELECT 1")
