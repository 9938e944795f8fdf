"""Keeps leases in order while the service runs: more in advance, renewed, given back when idle or asked for."""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, Final

from crouter.runtime.credit.credit import USABLE_SECONDS, Credit
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.listening import listen
from crouter.runtime.database.pool import Database
from crouter.runtime.logs import Log
from crouter.runtime.words import kind_of

IDLE_SECONDS: Final = 20.0
SWEEP_SECONDS: Final = 1.0
RENEW_SECONDS: Final = 60.0
# Between two rounds in advance: one statement for what many requests have used meanwhile.
ADVANCE_SECONDS: Final = 0.02
FAILED_SECONDS: Final = 1.0


class Keeper:
    """Works on the leases of one process until cancelled. A database that is away is waited for, and told once."""

    def __init__(
        self, credit: Credit, database: Database, log: Log, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._credit = credit
        self._database = database
        self._log = log
        self._clock = clock
        self._renewed_at = clock()
        self._told = False

    async def run(self) -> None:
        """Everything there is to do, at once and for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self.advance, ADVANCE_SECONDS))
            group.create_task(self._repeat(self.sweep, SWEEP_SECONDS))
            group.create_task(listen(self._database, self._credit.store.channel, _Ear(self._credit, self._log)))

    async def advance(self) -> None:
        """Waits until some account's credit runs short, and leases more for those. Raises DatabaseError."""
        credit = self._credit
        await credit.wanted.wait()
        credit.wanted.clear()
        while credit.low:
            await credit.lease_in_advance(credit.low.pop())

    async def sweep(self) -> None:
        """Gives back what is idle, and renews the rest in its time. Raises DatabaseError."""
        await self.return_idle()
        if self._clock() - self._renewed_at >= RENEW_SECONDS:
            await self.renew()

    async def return_idle(self, seconds: float = IDLE_SECONDS) -> None:
        """Ends leases that nobody has used for so long. Raises DatabaseError."""
        credit, before = self._credit, self._clock() - seconds
        if not any(lease.is_idle and lease.used_at <= before for lease in credit.leases.values()):
            return
        # What is in hand is worth most while the database is away: it is not given up for nothing.
        await credit.store.require()
        closing = [
            lease
            for lease in credit.leases.values()
            if lease.is_idle
            and lease.used_at <= before
            and lease.in_flight == 0
            and not credit.is_asking(lease.account)
        ]
        for lease in closing:
            lease.closing, lease.usable_until, lease.granted = True, 0.0, 0
        try:
            await credit.store.empty([lease.id for lease in closing])
        except DatabaseError:
            for lease in closing:
                # It may be empty there, and may not: nothing of it is used, and the next time empties it for certain.
                lease.closing, lease.doubtful = False, True
            raise
        for lease in closing:
            lease.closing = False
            del credit.leases[lease.account.int]

    async def renew(self) -> None:
        """Prolongs every lease; one that had ended already is used no more until leased anew. Raises DatabaseError."""
        credit, asked_at = self._credit, self._clock()
        leases = {lease.id: lease for lease in credit.leases.values() if not lease.closing}
        living = await credit.store.renew(list(leases)) if leases else frozenset[uuid.UUID]()
        self._renewed_at = asked_at
        for id_, lease in leases.items():
            if id_ in living:
                lease.usable_until = max(lease.usable_until, asked_at + USABLE_SECONDS)
            elif lease.leased_at <= asked_at:
                lease.usable_until = 0.0

    async def _repeat(self, work: Callable[[], Coroutine[Any, Any, None]], seconds: float) -> None:
        while True:
            try:
                await work()
            except DatabaseError as error:
                if not self._told:
                    self._log.warning("credit_waits", error=kind_of(error))
                self._told = True
                await asyncio.sleep(FAILED_SECONDS)
            else:
                self._told = False
                await asyncio.sleep(seconds)


class _Ear:
    """Hears which account's credit other processes lack."""

    def __init__(self, credit: Credit, log: Log) -> None:
        self._credit = credit
        self._log = log
        self._told = False

    def began(self) -> None:
        self._told = False

    async def heard(self, payload: str) -> None:
        account, _, process = payload.partition(" ")
        if process != str(self._credit.store.process):
            await self._credit.give_back(uuid.UUID(account))

    def ended(self, error: DatabaseError | None) -> None:
        if error is not None and not self._told:
            self._told = True
            self._log.warning("credit_listener_down", error=kind_of(error))
