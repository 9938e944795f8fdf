"""Brings settlements into the database, whatever happens to the request that they came from.

Each is a task of its own: it outlives its handler, tries again while the database is away, and is waited for when the
service stops. Whoever forwards the end of an answer waits here first.
"""

import asyncio
from typing import Final

from crouter.runtime.balances import Balances
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.usage import Settlement, UsageStore
from crouter.runtime.words import kind_of

ANSWER_WAITS_SECONDS: Final = 15.0
RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 4.0)
OPEN_MAX: Final = 10_000


class NotRecordedError(Exception):
    """The record is not written yet, or cannot be: the answer must not end as if it were."""


class Settling:
    """All settlements that are under way."""

    def __init__(self, store: UsageStore, balances: Balances, log: Log, metrics: Metrics) -> None:
        self._store = store
        self._balances = balances
        self._log = log
        self._metrics = metrics
        self._open: set[asyncio.Task[bool]] = set()

    @property
    def has_room(self) -> bool:
        """Whether a further request may be forwarded, or too many settlements wait for the database."""
        return len(self._open) < OPEN_MAX

    def record(self, settlement: Settlement) -> bool:
        """Whether the record is safe at once."""
        return False

    async def recorded(self, settlement: Settlement) -> None:
        """Writes the record. Raises NotRecordedError."""
        await self.written(self.begin(settlement))

    def begin(self, settlement: Settlement) -> "asyncio.Task[bool]":
        """Starts writing one; the task gives whether it was written."""
        self._balances.charge(settlement.account, settlement.charge.cost_nanousd)
        task = asyncio.create_task(self._write(settlement), name="settlement")
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return task

    async def written(self, task: "asyncio.Task[bool]", seconds: float = ANSWER_WAITS_SECONDS) -> None:
        """Waits until it is written. Raises NotRecordedError when that takes too long or is refused."""
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done or not task.result():
            raise NotRecordedError

    async def finish(self, seconds: float) -> int:
        """Waits for all of them, at most so long; gives how many are left unwritten."""
        if not self._open:
            return 0
        _, left = await asyncio.wait(set(self._open), timeout=seconds)
        for task in left:
            task.cancel()
        if left:
            self._log.error("settlements_lost", count=len(left))
        return len(left)

    async def _write(self, settlement: Settlement) -> bool:
        failures = 0
        while True:
            try:
                await self._store.record(settlement)
            except DatabaseAwayError as error:
                if failures == 0:
                    self._log.warning("settlement_waits", error=kind_of(error))
                pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                await asyncio.sleep(pause)
            except DatabaseError as error:
                self._log.error("settlement_refused", error=f"{kind_of(error)}:{error.code}")
                self._metrics.count("crouter_usage_records_total", outcome="refused")
                return False
            else:
                self._metrics.count("crouter_usage_records_total", outcome=settlement.draft.outcome.value)
                return True
