"""Whether an account still has credit, without asking the database at every request.

A balance read once is good for `FRESH_SECONDS`; what this process charges meanwhile is taken off at once. So a single
process overspends by the requests that are under way, and a top-up is seen after at most that time.
While the database is away, a known balance goes on being used for `AWAY_SECONDS`.
"""

import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from crouter.runtime.database.errors import DatabaseAwayError

FRESH_SECONDS: Final = 5.0
AWAY_SECONDS: Final = 60.0
# Between two questions about one account to a database that is away.
ASK_AGAIN_SECONDS: Final = 2.0
ENTRIES_MAX: Final = 10_000


@dataclass(slots=True)
class _Known:
    nanousd: int
    read: float
    ask_again_at: float = 0.0

    def is_usable(self, now: float) -> bool:
        age = now - self.read
        return age < FRESH_SECONDS or (now < self.ask_again_at and age < AWAY_SECONDS)


class Balances:
    """Known balances; `read` gives the sum of an account's ledger in nanodollars and raises DatabaseError."""

    def __init__(
        self, read: Callable[[uuid.UUID], Awaitable[int]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._known: OrderedDict[uuid.UUID, _Known] = OrderedDict()

    def is_known_positive(self, account: uuid.UUID) -> bool:
        """Whether a balance above zero was read lately; False says nothing: ask `has_credit`."""
        known = self._known.get(account)
        return known is not None and known.nanousd > 0 and known.is_usable(self._clock())

    async def has_credit(self, account: uuid.UUID) -> bool:
        """Whether the balance is above zero. Raises DatabaseError when that cannot be known."""
        known, now = self._known.get(account), self._clock()
        # Only a positive balance is remembered: a top-up ends a refusal at once.
        if known is not None and known.nanousd > 0 and known.is_usable(now):
            return True
        try:
            nanousd = await self._read(account)
        except DatabaseAwayError:
            if known is None or now - known.read >= AWAY_SECONDS:
                raise
            known.ask_again_at = self._clock() + ASK_AGAIN_SECONDS
            return known.nanousd > 0
        self._known[account] = _Known(nanousd, now)
        self._known.move_to_end(account)
        while len(self._known) > ENTRIES_MAX:
            self._known.popitem(last=False)
        return nanousd > 0

    def charge(self, account: uuid.UUID, nanousd: int) -> None:
        """Takes a charge off that is on its way into the ledger."""
        known = self._known.get(account)
        if known is not None:
            known.nanousd -= nanousd
