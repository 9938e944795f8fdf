"""Limits that many nodes share: each admits out of what it holds, and asks the store where that is not enough.

`admit` asks nobody. `admitted` asks the store, and then, through it, the other nodes for what they hold and do not use,
for `PATIENCE_SECONDS` at most. What is held counts against the limits as if it were used, so that they are never
exceeded, whatever dies; what a node that dies had admitted and not told yet, at most `FLUSH_SECONDS` of it, is
forgotten after `LIFETIME_SECONDS`. Tokens are known to others as soon as they are told.

While the store is away every process keeps its own limits, with what it has counted itself until then: so many
processes, so many times the limit at the most. What was admitted meanwhile is told when the store is back.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from typing import Any, Final

from crouter.contract.traffic import Limits
from crouter.runtime.ending import end_task
from crouter.runtime.fleet.share import PORTION_MAX, PORTION_MIN, Share
from crouter.runtime.fleet.store import LIFETIME_SECONDS, Answer, FleetStore, StoreAwayError, Told
from crouter.runtime.limit_standing import Standing
from crouter.runtime.limits import CONCURRENT, OwnPass, Pass, RateLimits, Reached
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics

STATE: Final = "crouter_shared_limits_state"
PATIENCE_SECONDS: Final = 0.1
PAUSES_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.03)
FLUSH_SECONDS: Final = 0.02
IDLE_SECONDS: Final = 5.0
RENEW_SECONDS: Final = 10.0
SWEEP_SECONDS: Final = 1.0
REPEATED_SECONDS: Final = 0.2
"""How long a refusal is repeated without asking."""
AWAY_SECONDS: Final = 1.0
SHARES_MAX: Final = 20_000
_MARGIN_SECONDS: Final = 5.0


class FleetPass:
    """A pass of `FleetLimits`."""

    __slots__ = ("_is_open", "_limits", "_own", "_share")

    def __init__(self, limits: "FleetLimits", share: Share, own: OwnPass) -> None:
        self._limits = limits
        self._share = share
        self._own = own
        self._is_open = True
        share.under_way += 1

    def used(self, input_tokens: int, output_tokens: int) -> None:
        self._own.used(input_tokens, output_tokens)
        self._limits.note_tokens(self._share, input_tokens, output_tokens)

    def standing(self) -> Standing:
        return self._own.standing() if self._limits.is_away else self._share.standing()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._share.under_way -= 1
            self._own.close()

    def __del__(self) -> None:
        # A place must not outlive its request, whatever became of that.
        self.close()


class FleetLimits:
    """Admits requests like `RateLimits`, over all nodes of one store. Everything is called in one event loop."""

    def __init__(
        self, limits: Limits, store: FleetStore, log: Log, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._store = store
        self._log = log
        self._clock = clock
        self._own = RateLimits(limits, clock, SHARES_MAX)
        self._shares: OrderedDict[Hashable, Share] = OrderedDict()
        self._named: dict[str, Share] = {}
        self._busy: dict[str, asyncio.Lock] = {}
        self._untold: dict[str, Share] = {}
        self._has_news = asyncio.Event()
        self._away_until = 0.0
        self.is_away = False
        metrics.show(STATE, lambda: (({"state": "away" if self.is_away else "connected"}, 1),))

    def admit(self, key: Hashable, limits: Limits | None = None) -> Pass | Reached | None:
        """Counts one request of `key` if it can be told without asking; None if `admitted` has to be asked."""
        limits = limits or self._limits
        share = self._shares.get(key)
        if share is None:
            return None
        share.limits = limits
        if self.is_away:
            return self._own_answer(key, share, limits)
        now = self._clock()
        if share.refused is not None and now < share.refused_until:
            wait = share.refused.retry_after_seconds - (now - (share.refused_until - REPEATED_SECONDS))
            return Reached(share.refused.name, max(wait, 0.001), share.refused.limit, share.standing())
        return self._taken(key, share, limits, now) if share.has_one(now) else None

    async def admitted(self, key: Hashable, limits: Limits | None = None) -> Pass | Reached:
        """The same, asking the store and the other nodes."""
        limits = limits or self._limits
        share = self._share(key, limits)
        patience_ends: float | None = None
        tries = 0
        while True:
            found = self.admit(key, limits)
            if found is not None:
                return found
            try:
                reached = await self._ask(share)
            except StoreAwayError:
                self._went_away()
                return self._own_answer(key, share, limits)
            if reached is None:
                continue
            last = share.last
            assert last is not None, "it was asked"
            now = time.monotonic()
            if patience_ends is None:
                patience_ends = now + PATIENCE_SECONDS
            others = last.others_slots if reached.limit == CONCURRENT else last.others_held and not last.wait_seconds
            if now >= patience_ends or not others:
                return reached
            await asyncio.sleep(PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)])
            tries += 1

    def note_tokens(self, share: Share, input_tokens: int, output_tokens: int) -> None:
        """What a request used; told to the store soon."""
        now = self._clock()
        for kind, amount in (("i", input_tokens), ("o", output_tokens)):
            if amount > 0:
                share.note(kind, now, amount)
        self._has_something_to_tell(share)

    async def flush(self) -> None:
        """Tells the store what it does not know yet. Raises StoreAwayError."""
        for name in tuple(self._untold):
            share = self._untold.pop(name, None)
            if share is None:
                continue
            try:
                await self._exchange(share)
            except StoreAwayError:
                self._untold[name] = share
                raise

    async def renew(self) -> None:
        """Says of every share that is in use that this node lives. Raises StoreAwayError."""
        for share in list(self._shares.values()):
            if share.under_way or share.held or share.uses:
                await self._exchange(share)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Tells, renews, gives back and listens, until the block ends."""
        # Not in a group: that cancels once, and a library may take a cancellation for its own.
        tasks = [asyncio.create_task(self._always(work)) for work in (self._tell, self._sweep, self._listen)]
        try:
            yield
        finally:
            for task in tasks:
                await end_task(task)

    async def close(self) -> None:
        """Gives back everything that is held."""
        for share in self._shares.values():
            share.give_up()
            share.slots = 0
            self._untold[share.name] = share
        try:
            await self.flush()
        except StoreAwayError:
            self._log.warning("limits_away")
        await self._store.close()

    def _taken(self, key: Hashable, share: Share, limits: Limits, now: float) -> Pass | Reached:
        # Counted here as well, for the time when the store is away.
        own = self._own.admit(key, limits)
        if isinstance(own, Reached):
            return own
        share.take(now)
        share.wants_none = False
        self._has_something_to_tell(share)
        return FleetPass(self, share, own)

    def _own_answer(self, key: Hashable, share: Share, limits: Limits) -> Pass | Reached:
        own = self._own.admit(key, limits)
        if isinstance(own, Reached):
            return own
        now = self._clock()
        share.used_at = now
        share.note("r", now, 1)
        self._has_something_to_tell(share)
        return FleetPass(self, share, own)

    def _share(self, key: Hashable, limits: Limits) -> Share:
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = Share(self._store.name_of(key), limits)
            share.used_at = self._clock()
            self._named[share.name] = share
            if len(self._shares) > SHARES_MAX:
                _, oldest = self._shares.popitem(last=False)
                if oldest.under_way == 0 and not oldest.uses:
                    self._named.pop(oldest.name, None)
                    self._busy.pop(oldest.name, None)
        return share

    async def _ask(self, share: Share) -> Reached | None:
        """Why a request is refused, None if it may be admitted now. Raises StoreAwayError."""
        async with self._busy.setdefault(share.name, asyncio.Lock()):
            now = self._clock()
            if share.has_one(now):
                # Somebody else has asked meanwhile.
                return None
            share.wants_none = False
            # Busy keys ask seldom, and quiet ones take little.
            share.portion = min(share.portion * 2, PORTION_MAX) if now - share.used_at < 1.0 else PORTION_MIN
            told = share.told(now, needs_one=True)
            answer = await self._sent(share, told, now)
            if share.has_one(self._clock()):
                share.refused = None
                return None
            reached = share.refusal(answer, told)
            if answer.wait_seconds > 0 and reached.limit != CONCURRENT:
                share.refused = reached
                share.refused_until = now + min(REPEATED_SECONDS, answer.wait_seconds)
            return reached

    async def _exchange(self, share: Share) -> None:
        async with self._busy.setdefault(share.name, asyncio.Lock()):
            now = self._clock()
            await self._sent(share, share.told(now, needs_one=False), now)

    async def _sent(self, share: Share, told: Told, now: float) -> Answer:
        answer = await self._store.exchange(share.name, share.limits, told)
        share.heard(answer, now, LIFETIME_SECONDS - _MARGIN_SECONDS)
        self.is_away = False
        return answer

    def _has_something_to_tell(self, share: Share) -> None:
        self._untold[share.name] = share
        self._has_news.set()

    def _went_away(self) -> None:
        if not self.is_away:
            self._log.warning("limits_away")
        self.is_away = True
        self._has_news.set()

    async def _tell(self) -> None:
        await self._has_news.wait()
        self._has_news.clear()
        await asyncio.sleep(FLUSH_SECONDS)
        await self.flush()

    async def _sweep(self) -> None:
        await asyncio.sleep(SWEEP_SECONDS)
        now = self._clock()
        for share in list(self._shares.values()):
            is_idle = now - share.used_at >= IDLE_SECONDS
            holds = share.held > 0 or share.slots > share.under_way
            due = share.usable_until - now < LIFETIME_SECONDS - _MARGIN_SECONDS - RENEW_SECONDS
            if is_idle and holds:
                share.give_up()
                await self._exchange(share)
            elif due and (share.under_way or share.held):
                await self._exchange(share)

    async def _listen(self) -> None:
        async with self._store.calls() as names:
            async for name in names:
                share = self._named.get(name)
                if share is not None and (share.held > 0 or share.slots > share.under_way):
                    share.give_up()
                    await self._exchange(share)

    async def _always(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                await work()
            except StoreAwayError:
                self._went_away()
                await asyncio.sleep(AWAY_SECONDS)
