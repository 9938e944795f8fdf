"""Lets one process of all do something that each of them could do: a lock in the database, on a connection of its own.

It goes with the connection, so that a killed process holds nothing. A process whose connection breaks is not told: what
is done under the lock has to be harmless when it is done twice.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

from crouter.runtime.database.errors import DatabaseError, translated
from crouter.runtime.database.pool import Connection, Database

# A transaction's lock and not a session's: behind a transaction pooler sessions belong to nobody.
_TRY: LiteralString = "SELECT pg_try_advisory_xact_lock(%s)"
# The transaction waits for as long as the work takes. This comes last: a SELECT's snapshot, which would keep rows from
# being cleaned up meanwhile, goes with the next statement, and this one needs none.
_WAIT: LiteralString = "SET LOCAL idle_in_transaction_session_timeout TO 0"


@asynccontextmanager
async def alone(database: Database, name: str) -> AsyncIterator[bool]:
    """Whether nobody else is in a block of that name; then nobody will be until this one ends. Raises DatabaseError."""
    connection = await database.dedicated()
    try:
        yield await _is_locked(connection, name)
    finally:
        with contextlib.suppress(DatabaseError), translated():
            # Ends the transaction, and the lock with it.
            await connection.close()


async def _is_locked(connection: Connection, name: str) -> bool:
    digest = hashlib.sha256(f"crouter {name}".encode()).digest()
    key = int.from_bytes(digest[:8], "big", signed=True)
    with translated():
        await connection.execute("BEGIN")
        row = await (await connection.execute(_TRY, (key,))).fetchone()
        await connection.execute(_WAIT)
    assert row is not None
    return bool(row[0])
