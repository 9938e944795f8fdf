"""Asks the provider now and then whether a sign-in still holds, and ends its own sessions with ours.

A provider that is away throws nobody out: it is asked again in a few minutes.
"""

import asyncio
import uuid
from collections.abc import Coroutine
from typing import Any, Final

from crouter.runtime.identity.provider import IdentityProvider, ProviderAwayError, RenewalRefusedError
from crouter.runtime.identity.sessions import Sessions
from crouter.runtime.logs import Log
from crouter.runtime.secret import Secret

END_SECONDS: Final = 5.0


class Renewals:
    """Works in tasks of its own: what was asked is written down, also when whoever waited has left."""

    def __init__(self, sessions: Sessions, provider: IdentityProvider, log: Log) -> None:
        self._sessions = sessions
        self._provider = provider
        self._log = log
        self._tasks: set[asyncio.Task[Any]] = set()

    async def still_holds(self, session: uuid.UUID, account: uuid.UUID) -> bool:
        """Whether the provider stands by the sign-in; if not, the session has ended. Raises DatabaseError."""
        return await asyncio.shield(self._start(self._asked(session, account)))

    def end(self, renewal: Secret[str]) -> None:
        """Ends the provider's session soon; ours has ended already."""
        self._start(self._ended(renewal))

    async def close(self) -> None:
        """Waits a moment for what is under way."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=END_SECONDS)
            for task in late:
                task.cancel()

    async def _asked(self, session: uuid.UUID, account: uuid.UUID) -> bool:
        renewal = await self._sessions.take_renewal(session)
        if renewal is None:
            return True  # somebody else is asking
        try:
            following = await self._provider.renew(renewal, account)
        except ProviderAwayError:
            self._log.warning("identity_provider_away")
            return True
        except RenewalRefusedError:
            await self._sessions.end(session)
            return False
        await self._sessions.put_renewal(session, following)
        return True

    async def _ended(self, renewal: Secret[str]) -> None:
        try:
            await self._provider.sign_out(renewal)
        except ProviderAwayError:
            # Nobody holds its token any more, so that it ends by itself.
            self._log.warning("identity_provider_away")

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name="identity")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
