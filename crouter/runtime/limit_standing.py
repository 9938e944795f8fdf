"""How a key stands with its limits, and the headers that say so: `anthropic-ratelimit-*`, as Anthropic documents them.

`reset` is when a limit is whole again if nothing more is used; `tokens` is whichever token limit is nearer. No I/O.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_PREFIX: Final = "anthropic-ratelimit-"


def _names(of: str) -> tuple[str, str, str]:
    return (f"{_PREFIX}{of}-limit", f"{_PREFIX}{of}-remaining", f"{_PREFIX}{of}-reset")


_REQUESTS: Final = _names("requests")
_TOKENS: Final = _names("tokens")
_INPUT: Final = _names("input-tokens")
_OUTPUT: Final = _names("output-tokens")


# Not frozen: they are made for every answer, and frozen ones take several times as long to make.
@dataclass(slots=True)
class Figure:
    """One limit: how much of it is left, and in how many seconds it is whole again."""

    limit: int
    remaining: int
    reset_seconds: float


@dataclass(slots=True)
class Standing:
    """The limits of a key, now. Tokens are None where they have no limit."""

    requests: Figure
    input_tokens: Figure | None = None
    output_tokens: Figure | None = None

    def headers(self, now: float) -> list[tuple[str, str]]:
        """What tells a client, at `now` in seconds since 1970."""
        told: list[tuple[str, str]] = []
        _tell(told, _REQUESTS, self.requests, now)
        given, made = self.input_tokens, self.output_tokens
        nearer = given if made is None or (given is not None and given.remaining <= made.remaining) else made
        for names, figure in ((_TOKENS, nearer), (_INPUT, given), (_OUTPUT, made)):
            if figure is not None:
                _tell(told, names, figure, now)
        return told


def _tell(told: list[tuple[str, str]], names: tuple[str, str, str], figure: Figure, now: float) -> None:
    told.append((names[0], str(figure.limit)))
    told.append((names[1], str(figure.remaining)))
    told.append((names[2], _rfc3339(math.ceil(now + figure.reset_seconds))))


@lru_cache(maxsize=1024)
def _rfc3339(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
