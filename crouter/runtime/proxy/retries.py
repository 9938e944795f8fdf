"""Decides whether an attempt at the upstream may be followed by another one. Pure.

Only before the client has got a byte, and only where the request cannot have been worked on twice: nothing of it was
sent, or the upstream answered that it does not do it. A request that was sent and not answered may have been worked on
and cost money; it is never repeated. Each attempt has a usage record of its own.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

ATTEMPTS_MAX: Final = 2
# Answers of the upstream itself, before it began to work. 502, 504 and 52x are not among them: they come from
# something in between, which does not know what happened behind it.
_NOT_DONE: Final = frozenset({401, 429, 500, 503, 529})
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})  # RFC 9110 9.2.1


class Next(Enum):
    """What follows a failed attempt."""

    ANY_KEY = "any_key"
    """Try again, with the same key if there is no other."""
    OTHER_KEY = "other_key"
    """Try again if another healthy key can be had; otherwise pass the upstream's own answer on."""
    GIVE_UP = "give_up"
    """Pass the upstream's answer on, or say that there was none."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The upstream's answer, of which nothing has been forwarded."""

    status: int


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """No byte of an answer came; `nothing_sent` is what the client of the upstream knows for certain."""

    nothing_sent: bool


def after_attempt(attempts: int, method: str, result: Answered | NotAnswered, *, client_got_bytes: bool) -> Next:
    """What follows, after so many attempts (1 is the first)."""
    assert attempts >= 1
    if client_got_bytes or attempts >= ATTEMPTS_MAX:
        return Next.GIVE_UP
    if isinstance(result, NotAnswered):
        return Next.ANY_KEY if result.nothing_sent or method in _SAFE_METHODS else Next.GIVE_UP
    return Next.OTHER_KEY if result.status in _NOT_DONE else Next.GIVE_UP
