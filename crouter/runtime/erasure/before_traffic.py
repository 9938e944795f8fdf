"""Holds traffic back until the deletions of the past are known to be those of the database."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.erasure.restore import Remembered, remember_deletions
from crouter.runtime.logs import Log
from crouter.runtime.rights import rights_of
from crouter.runtime.settings import StoreSettings

PAUSE_SECONDS: Final = 1.0


async def remembered_before_traffic(
    deployment: Deployment, store: StoreSettings, log: Log, stop: asyncio.Event
) -> bool:
    """Compare tombstones with the database, and erase anew what a restore brought back; False if `stop` was set first.

    A database that is away is waited for if there is any tombstone: what it holds when it comes back is not known.
    Raises TombstonesUnusableError, RetentionRefusedError.
    """
    database = Database(store, deployment.database_schema)
    await database.open()
    try:
        while not stop.is_set():
            try:
                done = await remember_once(deployment, database, store)
            except DatabaseError:
                if not _has_any(deployment, database, store):
                    return True
                log.warning("tombstones_wait")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PAUSE_SECONDS)
                continue
            if done.begun or done.erased:
                log.warning("deletions_applied_again", count=done.begun + done.erased)
            return True
        return False
    finally:
        await database.close()


async def remember_once(deployment: Deployment, database: Database, store: StoreSettings) -> Remembered:
    """One comparison; nothing to do where no tombstones are kept.

    Raises TombstonesUnusableError, RetentionRefusedError, DatabaseError.
    """
    rights = rights_of(deployment, database, store)
    if rights is None or rights.tombstones is None:
        return Remembered(0, 0)
    dsn = store.database_url.reveal()
    return await remember_deletions(deployment, database, dsn, rights.tombstones, rights.deletions, datetime.now(UTC))


def _has_any(deployment: Deployment, database: Database, store: StoreSettings) -> bool:
    rights = rights_of(deployment, database, store)
    tombstones = rights.tombstones if rights is not None else None
    return tombstones is not None and tombstones.exists and bool(tombstones.read())
