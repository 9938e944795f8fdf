"""Bounds how many requests are under way at once, in all and for each account: overload is said early. Does no I/O.

A refused request costs a few microseconds and is answered 529 `overloaded_error` with `retry-after`; waiting in a queue
it would cost memory, and time out in the end.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

RETRY_AFTER_SECONDS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Overloaded:
    """Not now. `of_account` says that the account itself has too much under way, not the service."""

    retry_after_seconds: int
    of_account: bool


class Entered:
    """A place that is taken until it is closed; closing it again does nothing."""

    __slots__ = ("_account", "_admission")

    def __init__(self, admission: "Admission", account: Hashable) -> None:
        self._admission: Admission | None = admission
        self._account = account

    def close(self) -> None:
        """Frees the place."""
        admission, self._admission = self._admission, None
        if admission is not None:
            admission.leave(self._account)


class Admission:
    """Counts what is under way in this process."""

    def __init__(self, whole_max: int, account_max: int) -> None:
        assert whole_max >= 1
        assert account_max >= 1
        self._whole_max = whole_max
        self._account_max = account_max
        self._whole = 0
        self._accounts: dict[Hashable, int] = {}
        self._refused = 0

    @property
    def under_way(self) -> int:
        return self._whole

    def try_enter(self, account: Hashable) -> Entered | Overloaded:
        """A place for one request of the account, or the answer to give at once."""
        count = self._accounts.get(account, 0)
        if self._whole >= self._whole_max or count >= self._account_max:
            self._refused += 1
            # Spread, so that those who were refused together do not come back together.
            return Overloaded(1 + self._refused % RETRY_AFTER_SECONDS_MAX, count >= self._account_max)
        self._whole += 1
        self._accounts[account] = count + 1
        return Entered(self, account)

    def leave(self, account: Hashable) -> None:
        """Called by what was entered, once."""
        count = self._accounts[account] - 1
        self._whole -= 1
        assert count >= 0
        if count:
            self._accounts[account] = count
        else:
            del self._accounts[account]
