"""What all shapes of the account API have in common: frozen, strict, and nothing in them that is not declared."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec

UNSET: Final = msgspec.UNSET
Unset = msgspec.UnsetType

Moment = Annotated[
    datetime, msgspec.Meta(tz=True, description="RFC 3339, with a time zone", examples=["2026-11-23T00:00:00Z"])
]
Nanodollars = Annotated[int, msgspec.Meta(description="Billionths of a US dollar, a whole number")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200, description="How many there are on a page at most")]
MonthLimit = Annotated[
    int, msgspec.Meta(ge=0, le=10**15, description="What may be spent in a calendar month (UTC), in nanodollars")
]
Cursor = Annotated[
    str,
    msgspec.Meta(
        pattern="^[0-9]{1,16}\\.[0-9a-f]{32}$",
        description="`next_cursor` of the page before; leave it out for the first page",
        examples=["1764547200000000.00000000000040008000000000000001"],
    ),
]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of every shape."""


def in_utc(moment: datetime | Unset) -> datetime | None:
    """A moment as the database understands every one, whatever its time zone; None if it was not told."""
    if isinstance(moment, Unset):
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # Within a day of the first or the last moment there is: no row is there.
        return moment.replace(tzinfo=UTC)


class Nothing(Shape, frozen=True):
    """No parameters, or no body."""


class Fault(Shape, frozen=True):
    """What went wrong. `type` is one of Anthropic's error types; `message` says it in words."""

    type: str
    message: str


class Failed(Shape, frozen=True):
    """Every error has this shape, which is that of the Messages API."""

    type: Literal["error"]
    error: Fault
    request_id: Annotated[str, msgspec.Meta(pattern="^req_[0-9a-f]{32}$")]


class Place(Shape, frozen=True):
    """The path of one thing."""

    id: uuid.UUID
