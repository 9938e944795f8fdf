"""Holds a request's most possible cost below the spending limits of its key and its account, beside its credit.

Most keys have no limit and cost nothing here. For one that has, room is leased like credit, by the same code and with
the same bounds: nothing beyond the limit as long as each process ships its charges before its leases end, and an
upstream that reports more than was held is charged as reported.
"""

import uuid
from datetime import datetime
from typing import Final

from crouter.runtime.credit.credit import Credit
from crouter.runtime.credit.lease import Hold
from crouter.runtime.key_lookup import Caller
from crouter.runtime.spending.months import limit_id, month_of
from crouter.runtime.spending.store import MonthLimit, SpendingStore

EVENTS: Final = "crouter_spending_events_total"


class LimitReachedError(Exception):
    """A limit leaves no room for the request. `of_key` says whose limit it is."""

    def __init__(self, *, of_key: bool) -> None:
        super().__init__()
        self.of_key = of_key


class Spending:
    """The spending limits, as one process keeps them."""

    def __init__(self, store: SpendingStore, room: Credit) -> None:
        self._store = store
        self.room = room

    def try_reserve(self, caller: Caller, nanousd: int, at: datetime) -> tuple[Hold, ...] | None:
        """A hold below each limit that there is; None if `reserve` has to be asked."""
        holds: list[Hold] = []
        for limit in self._limits(caller, at):
            hold = self.room.try_reserve(limit.id, nanousd)
            if hold is None:
                _close(holds)
                return None
            holds.append(hold)
        return tuple(holds)

    async def reserve(self, caller: Caller, nanousd: int, at: datetime) -> tuple[Hold, ...]:
        """The same, asking the database. Raises LimitReachedError, DatabaseError."""
        holds: list[Hold] = []
        try:
            for limit in self._limits(caller, at):
                self._store.know(limit)
                hold = await self.room.reserve(limit.id, nanousd)
                if hold is None:
                    raise LimitReachedError(of_key=limit.key is not None)
                holds.append(hold)
        except BaseException:
            _close(holds)
            raise
        return tuple(holds)

    @staticmethod
    def _limits(caller: Caller, at: datetime) -> list[MonthLimit]:
        found: list[MonthLimit] = []
        if caller.key_month_nanousd is not None:
            found.append(MonthLimit(limit_id(caller.key, at), caller.account, caller.key, month_of(at)))
        if caller.account_month_nanousd is not None:
            found.append(MonthLimit(limit_id(caller.account, at), caller.account, None, month_of(at)))
        return found


def limits_of_charge(account: uuid.UUID, key: uuid.UUID, at: datetime) -> tuple[uuid.UUID, uuid.UUID]:
    """The ids of the month that a charge counts for: that of its key, and that of its account."""
    return limit_id(key, at), limit_id(account, at)


def _close(holds: list[Hold]) -> None:
    for hold in holds:
        hold.close()
