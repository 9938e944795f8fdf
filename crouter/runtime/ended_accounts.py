"""Hears which accounts have ended, and breaks off what is under way for them. Their keys are told by `key_listener`."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Coroutine
from typing import Protocol

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import is_live
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.listening import listen
from crouter.runtime.database.pool import Database
from crouter.runtime.erasure.deletions import ENDED_CHANNEL
from crouter.runtime.names import ACCOUNT


class UnderWay(Protocol):
    """Requests of this process by account."""

    @property
    def accounts(self) -> frozenset[uuid.UUID]: ...

    def end_account(self, account: uuid.UUID) -> None: ...


async def listen_for_ended_accounts(deployment: Deployment, database: Database, under_way: UnderWay) -> None:
    """Breaks off until cancelled. Returns at once where nobody can listen: there a stream ends by itself."""
    live = sql.SQL("SELECT a.id FROM {} a WHERE a.id = ANY(%s) AND {}").format(
        database.table(ACCOUNT), is_live(deployment, "a")
    )

    async def ended_meanwhile() -> None:
        known = under_way.accounts
        for account in known - {row[0] for row in await database.rows(live, (list(known),))} if known else ():
            under_way.end_account(account)

    await listen(database, ENDED_CHANNEL, _Listener(under_way.end_account, ended_meanwhile))


class _Listener:
    def __init__(self, end: Callable[[uuid.UUID], None], look: Callable[[], Coroutine[None, None, None]]) -> None:
        self._end, self._look = end, look
        self._looking: asyncio.Task[None] | None = None

    def began(self) -> None:
        # Of what was told before, nothing was heard.
        self._looking = asyncio.get_running_loop().create_task(self._looked(), name="ended accounts")

    async def heard(self, payload: str) -> None:
        self._end(uuid.UUID(payload))

    def ended(self, error: DatabaseError | None) -> None:
        pass

    async def _looked(self) -> None:
        # Without the database nothing is told either; the next beginning looks again.
        with contextlib.suppress(DatabaseError):
            await self._look()
