"""Bills message batches whose results nobody has read, before the upstream no longer has them.

The upstream bills us for a batch when it runs; we bill it when its results are read. Of a batch that is old enough the
service reads them itself, for nobody to see: what they say was used is recorded as for any reader, and nothing else is
kept. One process of all does it at a time, one batch after the other and not fast. Whatever fails comes again.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from crouter.contract.deployment import Deployment
from crouter.runtime.batch_billing import BatchBilling, UnreadableError
from crouter.runtime.batches import BatchRecords, OwnedBatch
from crouter.runtime.database.alone import alone
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.egress import Answer
from crouter.runtime.front.passage import Passage
from crouter.runtime.names import BATCH, USAGE
from crouter.runtime.parts import Parts
from crouter.runtime.proxy.batches import PATH, has_ended
from crouter.runtime.proxy.headers import Headers
from crouter.runtime.words import kind_of

UNREAD: Final = timedelta(days=25)
"""How long an owner has to read first. The upstream keeps results for 29 days after a batch was made
(https://platform.claude.com/docs/en/build-with-claude/batch-processing): four are left for what is away."""
START_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 600.0
PAUSE_SECONDS: Final = 5.0
"""Between two batches: two requests each, and the upstream's limits for them are shared with customers."""
BATCHES_A_RUN: Final = 20
READ_SECONDS_MAX: Final = 1800.0
"""For one batch: nobody else reads any meanwhile."""
OBJECT_BYTES_MAX: Final = 1024 * 1024

_HEADERS: Final[Headers] = (
    ("anthropic-version", "2023-06-01"),
    ("accept-encoding", "identity"),
    ("user-agent", "crouter"),
)
_GONE: Final = frozenset({404, 410})

Standing = Literal["running", "ended", "gone"]


def unread_for(deployment: Deployment) -> timedelta:
    """The age at which a batch is due, sooner where the policy keeps its record, or what is billed, for less long.

    A sixth of such a period is left for what is away.
    """
    kept = [
        timedelta(days=28 * rule.keep.months + rule.keep.days, seconds=rule.keep.seconds)
        for rule in deployment.retention.expire
        if BATCH in rule.records or USAGE in rule.records
    ]
    return min([UNREAD, *(period * 5 / 6 for period in kept)])


async def bill_unread_batches(parts: Parts, passage: Passage) -> None:
    """Looks again and again until cancelled. Returns at once where the policy declares no records of batches."""
    if all(record.name != BATCH for record in parts.deployment.records):
        return
    await UnreadBatches(parts, passage).run()


class UnreadBatches:
    """Looks for batches that are due, and bills them. Nothing but a cancellation leaves it."""

    def __init__(self, parts: Parts, passage: Passage, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Raises KeyError when the policy declares no records of batches."""
        self._database, self._log = parts.database, parts.log
        self._passage = passage
        self._now = now
        self._records = BatchRecords(parts.deployment, parts.database)
        self._billing = BatchBilling(parts, self._records)
        self._unread_for = unread_for(parts.deployment)
        self._name = f"unread batches of {parts.deployment.database_schema}"
        # Where the last run ended: one that fails again and again stands in the way of no other.
        self._last: OwnedBatch | None = None

    async def run(self) -> None:
        """Looks again and again, until cancelled."""
        pause = START_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = PAUSE_SECONDS if await self.look() else LOOK_SECONDS

    async def look(self) -> bool:
        """Bills some of what is due, unless another process is at it. Whether there may be more to do at once."""
        try:
            if await self._next() is None:
                return False
            async with alone(self._database, self._name) as is_alone:
                return is_alone and await self._some()
        except DatabaseError as error:
            self._log.warning("unread_batches_wait", error=kind_of(error))
            return False

    async def _some(self) -> bool:
        """Until something fails, at most BATCHES_A_RUN. Raises DatabaseError."""
        done = 0
        try:
            for number in range(BATCHES_A_RUN):
                if number:
                    await asyncio.sleep(PAUSE_SECONDS)
                batch = self._last = await self._next()
                if batch is None:
                    return False
                standing = await self._tried(batch)
                if standing is None:
                    return False
                done += standing != "running"
        finally:
            if done:
                self._log.info("unread_batches_ended", count=done)
        return True

    async def _next(self) -> OwnedBatch | None:
        """The oldest that is due after the last one. Where there is none, the next look begins with the oldest."""
        found = await self._records.unread(self._now() - self._unread_for, after=self._last)
        if found is None:
            self._last = None
        return found

    async def _tried(self, batch: OwnedBatch) -> Standing | None:
        """How it stands with a batch after everything was done; None where something failed."""
        try:
            async with asyncio.timeout(READ_SECONDS_MAX):
                return await self._done(batch)
        except Exception as error:  # noqa: BLE001  one batch's failure is no other's, and it is told
            self._log.warning("unread_batches_wait", error=kind_of(error))
            return None

    async def _done(self, batch: OwnedBatch) -> Standing:
        # Asked first: of a batch that ends while its results are asked for, none would seem to be there.
        standing = await self._standing(batch)
        if standing == "gone":
            await self._records.end(batch.record)
        elif standing == "ended" and not await self._billing.bill(self._ask(batch, "/results"), batch):
            # Taken away before their time. Nobody can read them any more, so nothing is reserved for that.
            await self._records.settle(batch.record)
        return standing

    async def _standing(self, batch: OwnedBatch) -> Standing:
        """How it stands with a batch upstream. Raises UpstreamError, NoKeyError, EgressRefusedError."""
        answer = await self._ask(batch)
        try:
            if answer.status in _GONE:
                return "gone"
            ended = has_ended(await answer.whole(OBJECT_BYTES_MAX)) if answer.status == 200 else None
        finally:
            answer.close()
        if ended is None:
            raise UnreadableError
        return "ended" if ended else "running"

    async def _ask(self, batch: OwnedBatch, below: str = "") -> Answer:
        return await self._passage.send("GET", f"{PATH}/{batch.upstream_id}{below}", _HEADERS, None)
