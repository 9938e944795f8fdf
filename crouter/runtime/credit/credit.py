"""Reserves credit out of leases in this process's hands, and leases more where that is not enough.

`try_reserve` asks nobody. `reserve` asks the database, once for all requests of an account that wait, and then the
other processes for what they do not use, for `PATIENCE_SECONDS` at most. So credit for ten admits ten, in however
many processes. What a lease is and when it ends is in `store`; renewing and giving back is `keeping`.

How much can be spent beyond what is there: nothing, as long as each process ships its charges before its leases end.
A process that is dead or cut off for longer than `EXPIRES_SECONDS` with charges that nobody has adopted: those charges,
at most what its leases had left. An upstream that reports more than was held: that difference, charged as reported.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from crouter.runtime.credit.lease import Hold, Holds, Lease
from crouter.runtime.credit.store import EXPIRES_SECONDS, MARGIN_SECONDS, Extension, LeaseStore
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError
from crouter.runtime.metrics import Metrics

EVENTS: Final = "crouter_credit_events_total"
PATIENCE_SECONDS: Final = 1.0
PAUSES_SECONDS: Final[tuple[float, ...]] = (0.01, 0.02, 0.05, 0.1, 0.2)
PORTION_MIN: Final = 250_000_000
PORTION_MAX: Final = 10**12
QUICK_SECONDS: Final = 15.0
SCARCE_SECONDS: Final = 10.0
USABLE_SECONDS: Final = EXPIRES_SECONDS - MARGIN_SECONDS
CLOSING_SECONDS: Final = 0.005


@dataclass(slots=True)
class _Waiter:
    nanousd: int
    hold: "asyncio.Future[Hold | None]"


@dataclass(slots=True)
class _Asking:
    """Requests of one account that wait, and the task that asks for all of them."""

    waiters: deque[_Waiter] = field(default_factory=deque)
    task: "asyncio.Task[None] | None" = None


class Credit:
    """The leases of this process. Everything is called in one event loop."""

    def __init__(
        self, store: LeaseStore, metrics: Metrics, clock: Callable[[], float] = time.monotonic, events: str = EVENTS
    ) -> None:
        self.store = store
        self.leases: dict[int, Lease] = {}
        """By the number that their account's id is: an id hashes itself many times as slowly."""
        self.holds = Holds()
        self.low: set[uuid.UUID] = set()
        """Accounts whose free credit runs short; the keeper leases more in advance, when `wanted` wakes it."""
        self.wanted = asyncio.Event()
        self._metrics = metrics
        self._events = events
        self._clock = clock
        self._asking: dict[uuid.UUID, _Asking] = {}

    def try_reserve(self, account: uuid.UUID, nanousd: int) -> Hold | None:
        """Holds so much for one request if it is in hand; None if `reserve` has to be asked."""
        lease = self.leases.get(account.int)
        if lease is None:
            return None
        free = lease.granted - lease.held - lease.pending - nanousd
        now = self._clock()
        if free < 0 or now >= lease.usable_until:
            return None
        lease.used_at = now
        if free < lease.portion // 2:
            self.low.add(account)
            self.wanted.set()
        return lease.hold(nanousd)

    async def reserve(self, account: uuid.UUID, nanousd: int) -> Hold | None:
        """Holds so much, leasing it if need be. None: the account has not enough. Raises DatabaseError."""
        hold = self.try_reserve(account, nanousd)
        if hold is not None:
            return hold
        waiter = _Waiter(nanousd, asyncio.get_running_loop().create_future())
        asking = self._asking.setdefault(account, _Asking())
        asking.waiters.append(waiter)
        self._ask(account, asking)
        try:
            return await waiter.hold
        except asyncio.CancelledError:
            if waiter.hold.done() and not waiter.hold.cancelled() and (late := waiter.hold.result()) is not None:
                late.close()
            raise

    def release(self, hold: Hold) -> None:
        """Nothing is billed."""
        hold.close()

    def charge(self, hold: Hold, cost_nanousd: int) -> None:
        """What a request did cost, as it is in the journal; its hold is over."""
        if cost_nanousd > hold.nanousd:
            self._count("charged_above_hold")
        hold.close(cost_nanousd)

    def shipped(self, account: uuid.UUID, cost_nanousd: int, remaining: int | None, operations: int | None) -> None:
        """Charges of an account are in the ledger, and its lease in the database is smaller by them.

        `remaining` is what the lease has left there, `operations` what `doubts` gave before the transaction.
        """
        lease = self.leases.get(account.int)
        if lease is None:
            return
        lease.granted -= cost_nanousd
        lease.pending -= cost_nanousd
        if remaining is not None and lease.operations == operations:
            lease.granted, lease.doubtful = remaining, False

    def dropped(self, account: uuid.UUID, cost_nanousd: int) -> None:
        """Charges that will never be in the ledger."""
        lease = self.leases.get(account.int)
        if lease is not None:
            lease.pending -= cost_nanousd

    def is_asking(self, account: uuid.UUID) -> bool:
        """Whether somebody waits for credit of an account."""
        return account in self._asking

    def doubts(self) -> dict[uuid.UUID, int]:
        """Accounts of whose lease it is not known what the database has, with a number for `shipped`."""
        return {
            lease.account: lease.operations
            for lease in self.leases.values()
            if lease.doubtful and lease.in_flight == 0 and not lease.closing
        }

    async def lease_in_advance(self, account: uuid.UUID) -> None:
        """Leases a portion more for an account whose free credit runs short. Raises DatabaseError."""
        lease = self.leases.get(account.int)
        now = self._clock()
        if lease is None or account in self._asking or now < lease.scarce_until or lease.closing:
            return
        extension = await self._extend(lease, 1, 1)
        if extension.granted is None:
            lease.scarce_until = now + SCARCE_SECONDS

    async def give_back(self, account: uuid.UUID) -> None:
        """Another process lacks credit of this account: it gets what is free. Raises DatabaseError."""
        lease = self.leases.get(account.int)
        if lease is None:
            return
        lease.scarce_until = self._clock() + SCARCE_SECONDS
        lease.portion = PORTION_MIN
        free = lease.free
        if free <= 0 or lease.closing:
            return
        lease.granted -= free
        lease.begin()
        try:
            await self.store.give_back(lease.id, free)
        except DatabaseError:
            # Whether it was taken off there is not known: we believe the smaller figure until it is.
            lease.doubtful = True
            raise
        finally:
            lease.end()
        self._count("given_back")

    async def call_in(self, account: uuid.UUID) -> None:
        """Gives back what is free of an account's credit here, and asks the other processes to. Raises DatabaseError.

        For whoever needs it in the database and not in a lease.
        """
        await self.give_back(account)
        await self.store.ask_back(account)
        self._count("asked_back")

    def _ask(self, account: uuid.UUID, asking: _Asking) -> None:
        if asking.task is None:
            asking.task = asyncio.create_task(self._answer(account, asking), name="credit")

    async def _answer(self, account: uuid.UUID, asking: _Asking) -> None:
        """Serves everybody who waits for credit of one account."""
        try:
            await self._serve_all(account, asking)
        except DatabaseError as error:
            self._disappoint(asking, error)
        finally:
            # Also at the end of the service: nobody waits for ever.
            del self._asking[account]
            self._disappoint(asking, DatabaseAwayError())

    def _disappoint(self, asking: _Asking, error: DatabaseError) -> None:
        for waiter in asking.waiters:
            if not waiter.hold.done():
                waiter.hold.set_exception(error)

    async def _serve_all(self, account: uuid.UUID, asking: _Asking) -> None:
        waiting = asking.waiters
        patience_ends: float | None = None
        tries = 0
        while True:
            self._serve(account, waiting)
            if not waiting:
                return
            lease = await self._opened(account)
            needs = [waiter.nanousd for waiter in waiting]
            # In advance for two more like the largest, so that the next ones need not wait.
            lease.portion = max(lease.portion, 2 * max(needs))
            extension = await self._extend(lease, min(needs) - lease.free, sum(needs) - lease.free)
            if extension.granted is not None:
                patience_ends, tries = None, 0
                continue
            lease.scarce_until = self._clock() + SCARCE_SECONDS
            now = asyncio.get_running_loop().time()
            if extension.others <= 0 or (patience_ends is not None and now >= patience_ends):
                self._refuse(waiting)
                return
            if patience_ends is None:
                patience_ends = now + PATIENCE_SECONDS
                self._count("asked_back")
            await self.store.ask_back(account)
            await asyncio.sleep(PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)])
            tries += 1

    def _serve(self, account: uuid.UUID, waiting: deque[_Waiter]) -> None:
        """Holds for those who fit into what is free, in their order; a smaller one may pass a larger one."""
        for waiter in tuple(waiting):
            if waiter.hold.done():
                waiting.remove(waiter)
            elif (hold := self.try_reserve(account, waiter.nanousd)) is not None:
                waiter.hold.set_result(hold)
                waiting.remove(waiter)

    def _refuse(self, waiting: deque[_Waiter]) -> None:
        self._count("refused")
        while waiting:
            waiter = waiting.popleft()
            if not waiter.hold.done():
                waiter.hold.set_result(None)

    async def _opened(self, account: uuid.UUID) -> Lease:
        lease = self.leases.get(account.int)
        while lease is not None and lease.closing:
            await asyncio.sleep(CLOSING_SECONDS)
            lease = self.leases.get(account.int)
        if lease is None:
            id_ = uuid.uuid5(self.store.process, account.hex)
            lease = self.leases[account.int] = Lease(id_, account, PORTION_MIN, self.holds)
            lease.used_at = self._clock()
        return lease

    async def _extend(self, lease: Lease, least: int, wanted: int) -> Extension:
        now = self._clock()
        portion = 0 if now < lease.scarce_until else self._portion(lease, now)
        lease.begin()
        try:
            extension = await self.store.extend(lease.id, lease.account, least, wanted, portion)
        except DatabaseError:
            lease.doubtful = True
            raise
        finally:
            lease.end()
        if extension.is_new:
            lease.granted, lease.doubtful = 0, False
        if extension.granted is not None:
            lease.granted += extension.granted
            lease.usable_until = now + USABLE_SECONDS
            lease.leased_at = now
            self._count("leased")
        return extension

    def _portion(self, lease: Lease, now: float) -> int:
        """Twice as much each time within a short time: a busy account asks a few times and then seldom."""
        if now - lease.leased_at < QUICK_SECONDS:
            lease.portion = min(lease.portion * 2, PORTION_MAX)
        else:
            lease.portion = max(lease.portion // 2, PORTION_MIN)
        return lease.portion

    def _count(self, event: str) -> None:
        self._metrics.count(self._events, event=event)
