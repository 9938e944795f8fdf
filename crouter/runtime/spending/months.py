"""Names the month of a limit: an id made of whose limit it is and of the month. No I/O."""

import uuid
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

SPENDING_CHANNEL: Final = "crouter_spending"
NOBODY: Final = "everybody"
"""Stands where a process is named: every process is meant."""


def limit_id(scope: uuid.UUID, at: datetime) -> uuid.UUID:
    """The id of the month of `at` (UTC) of the limit of a key or an account."""
    return _limit_id(scope.int, at.year, at.month)


def month_of(at: datetime) -> datetime:
    """The first moment of its month, in UTC."""
    return _month(at.year, at.month)


@lru_cache(maxsize=65_536)
def _limit_id(scope: int, year: int, month: int) -> uuid.UUID:
    # By the number that an id is: to hash and compare it as an id takes longer than all the rest.
    return uuid.uuid5(uuid.UUID(int=scope), f"{year:04}-{month:02}")


@lru_cache(maxsize=64)
def _month(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)
