"""Where a page of rows ends: the time and the id of its last row, and how that is written down as a cursor.

A cursor is no secret and no permission: rows are looked up within the asker's own account in any case.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import sql

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
MICROSECOND_DIGITS_MAX: Final = 16
"""Up to the year 2286."""


@dataclass(frozen=True, slots=True)
class Position:
    """After which row a page begins, in the order of time and then id, newest first."""

    at: datetime
    id: uuid.UUID


def cursor_of(position: Position) -> str:
    """The text of a position."""
    return f"{(position.at - _EPOCH) // _MICROSECOND}.{position.id.hex}"


def position_of(cursor: str) -> Position:
    """The position of a text that `cursor_of` could have written."""
    microseconds, _, identifier = cursor.partition(".")
    return Position(_EPOCH + int(microseconds) * _MICROSECOND, uuid.UUID(hex=identifier))


def is_after(time: sql.Composable, key: sql.Composable, position: Position | None) -> sql.Composable:
    """The condition that a row comes after a position, newest first. The values are part of it."""
    if position is None:
        return sql.SQL("true")
    return sql.SQL("({}, {}) < ({}::timestamptz, {}::uuid)").format(
        time, key, sql.Literal(position.at), sql.Literal(position.id)
    )
