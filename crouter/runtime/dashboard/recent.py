"""The last weeks of an account by hour and model, as charts need them, without adding up the same rows again and again.

What lies more than an hour back hardly ever changes: it is summed once and remembered for some minutes, and only what
came since is read each time. A million rows in a month take a second or two to add up, and then nobody waits.
"""

import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from crouter.runtime.dashboard.usage_reader import Part, UsageReader

HOUR: Final = timedelta(hours=1)
KEPT: Final = timedelta(minutes=10)
"""Rows that were shipped late are found after this long."""
ACCOUNTS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class _Known:
    parts: tuple[Part, ...]
    first: datetime
    until: datetime
    at: datetime


class RecentUsage:
    """Remembers the accounts that were looked at last."""

    def __init__(self, usage: UsageReader) -> None:
        self._usage = usage
        self._known: OrderedDict[uuid.UUID, _Known] = OrderedDict()

    async def of(self, account: uuid.UUID, first: datetime, now: datetime) -> tuple[Part, ...]:
        """What was used from `first` on, by hour and model, without those that are empty. Raises DatabaseError."""
        known = self._known.get(account)
        if known is None or known.first != first or now - known.at >= KEPT:
            this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            until = max(first, this_hour - HOUR)
            known = _Known(await self._usage.parts(account, first, until), first, until, now)
            self._known[account] = known
        self._known.move_to_end(account)
        while len(self._known) > ACCOUNTS_MAX:
            self._known.popitem(last=False)
        # A clock that is ahead of ours may have stamped a row.
        return known.parts + await self._usage.parts(account, known.until, now + HOUR)
