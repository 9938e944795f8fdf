"""Today's usage of accounts that somebody looks at, as it happens: one question a second for all of them together.

The database is asked, not told: requests need not announce themselves, several processes and nodes need not know of
one another, and it works behind a transaction pooler. Each question reads the rows since a moment a few minutes ago;
what lies before it is summed once and again every minute, so that rows that were shipped late are found as well.
Nobody who looks costs nothing.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.dashboard.rate_use import RateUse
from crouter.runtime.dashboard.standing import StandingReader
from crouter.runtime.dashboard.usage_reader import Totals, UsageReader, is_readable
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.ending import end_task

POLL_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 3.0
SETTLED: Final = timedelta(minutes=3)
"""Rows older than this are rarely still on their way."""
REFRESH: Final = timedelta(minutes=1)
STREAMS_MAX: Final = 500
SESSION_STREAMS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Now:
    """An account at one moment: what it used since the day began in UTC, its balance, and how many requests each key
    made in the last minute, those without any missing."""

    day: datetime
    totals: Totals
    balance_nanousd: int
    minute: Mapping[uuid.UUID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Away:
    """The database does not answer: what was told last may be old."""


Told = Now | Away


class TooManyStreamsError(Exception):
    """This session, or everybody together, looks at as many streams as there may be."""


@dataclass(eq=False, slots=True)
class Watch:
    """One who looks. A slow one gets what is newest and misses what was between."""

    account: uuid.UUID
    session: uuid.UUID
    told: Told | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, told: Told) -> None:
        if told != self.told:
            self.told = told
            self.news.set()


@dataclass(frozen=True, slots=True)
class _Before:
    """What an account had used today, and its balance, before the moment from which rows are read anew."""

    totals: Totals
    balance_nanousd: int


class LiveUsage:
    """Everybody who looks at live usage in this process."""

    def __init__(
        self,
        usage: UsageReader,
        standing: StandingReader,
        rates: RateUse,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._usage = usage
        self._standing = standing
        self._rates = rates
        self._now = now
        self._watches: set[Watch] = set()
        self._watched = asyncio.Event()
        self._before: dict[uuid.UUID, _Before] = {}
        self._since = self._day = datetime.min.replace(tzinfo=UTC)
        self._refreshed = self._since
        self._ended = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether the process is stopping: nobody is told anything any more."""
        return self._ended.is_set()

    def end(self) -> None:
        """Ends every stream now."""
        self._ended.set()
        for watch in self._watches:
            watch.news.set()

    @contextmanager
    def watching(self, account: uuid.UUID, session: uuid.UUID) -> Iterator[Watch]:
        """Looks at an account until the block ends. Raises TooManyStreamsError."""
        of_session = sum(watch.session == session for watch in self._watches)
        if of_session >= SESSION_STREAMS_MAX or len(self._watches) >= STREAMS_MAX or self.has_ended:
            raise TooManyStreamsError
        watch = Watch(account, session)
        self._watches.add(watch)
        self._watched.set()
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            if not self._watches:
                self._watched.clear()

    async def run(self) -> None:
        """Asks and tells, until cancelled."""
        while True:
            await self._watched.wait()
            try:
                await self._look()
            except DatabaseError:
                # Whoever serves requests tells the log; here it would be told every few seconds.
                self._tell_all(Away())
                await asyncio.sleep(AWAY_SECONDS)
            else:
                await asyncio.sleep(POLL_SECONDS)

    async def _look(self) -> None:
        """Raises DatabaseError."""
        now = self._now()
        accounts = {watch.account for watch in self._watches}
        await self._sum_up(accounts, now)
        # A clock that is ahead of ours may have stamped a row: it counts when it is seen.
        fresh = await self._usage.totals_between(accounts, self._since, self._day + timedelta(days=1))
        moved = await self._standing.since(accounts, self._since)
        lately = await self._rates.last_minute(accounts, now)
        for watch in self._watches:
            before = self._before.get(watch.account)
            if before is not None:
                totals = before.totals + fresh.get(watch.account, Totals())
                balance = before.balance_nanousd + moved.get(watch.account, 0)
                watch.tell(Now(self._day, totals, balance, lately.get(watch.account, {})))

    async def _sum_up(self, accounts: set[uuid.UUID], now: datetime) -> None:
        """Sums what lies before, for everybody when it is time, otherwise for those who are new."""
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if day != self._day or now - self._refreshed >= REFRESH:
            self._before.clear()
            self._day, self._refreshed, self._since = day, now, max(day, now - SETTLED)
        unknown = accounts - self._before.keys()
        if not unknown:
            return
        totals = await self._usage.totals_between(unknown, self._day, self._since)
        balances = await self._standing.before(unknown, self._since)
        for account in unknown:
            self._before[account] = _Before(totals.get(account, Totals()), balances.get(account, 0))

    def _tell_all(self, told: Told) -> None:
        for watch in self._watches:
            watch.tell(told)


@asynccontextmanager
async def live_usage(deployment: Deployment, database: Database) -> AsyncIterator[LiveUsage | None]:
    """Usage that is followed until the block ends. None where the policy lets no dashboard read it."""
    if not is_readable(deployment):
        yield None
        return
    usage, standing = UsageReader(deployment, database), StandingReader(deployment, database)
    live = LiveUsage(usage, standing, RateUse(deployment, database))
    task = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        await end_task(task)


async def news(live: LiveUsage, watch: Watch, seconds: float) -> AsyncIterator[Told | None]:
    """What there is to tell, each time there is something; None after `seconds` without. Ends with the service."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                await watch.news.wait()
        except TimeoutError:
            pass
        if live.has_ended:
            return
        told = watch.told if watch.news.is_set() else None
        watch.news.clear()
        yield told
