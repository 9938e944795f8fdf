"""How a key stands with its limits, and the headers that say so: `anthropic-ratelimit-*`, as Anthropic documents them.

`reset` is when a limit is whole again if nothing more is used; `tokens` is whichever token limit is nearer. No I/O.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_PREFIX: Final = "anthropic-ratelimit-"
_MOMENTS_MAX: Final = 1024
# Written already: the same few are told again and again.
_MOMENTS: Final[dict[int, str]] = {}


def _names(of: str) -> tuple[str, str, str]:
    return (f"{_PREFIX}{of}-limit", f"{_PREFIX}{of}-remaining", f"{_PREFIX}{of}-reset")


_REQUESTS: Final = _names("requests")
_TOKENS: Final = _names("tokens")
_INPUT: Final = _names("input-tokens")
_OUTPUT: Final = _names("output-tokens")


# Not frozen, and with an `__init__` of their own: they are made for every answer, several times as fast.
@dataclass(init=False, slots=True)
class Figure:
    """One limit: how much of it is left, and in how many seconds it is whole again."""

    limit: int
    remaining: int
    reset_seconds: float

    def __init__(self, limit: int, remaining: int, reset_seconds: float) -> None:
        self.limit = limit
        self.remaining = remaining
        self.reset_seconds = reset_seconds


@dataclass(init=False, slots=True)
class Standing:
    """The limits of a key, now. Tokens are None where they have no limit."""

    requests: Figure
    input_tokens: Figure | None
    output_tokens: Figure | None

    def __init__(
        self, requests: Figure, input_tokens: Figure | None = None, output_tokens: Figure | None = None
    ) -> None:
        self.requests = requests
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens

    def headers(self, now: float) -> list[tuple[str, str]]:
        """What tells a client, at `now` in seconds since 1970."""
        told: list[tuple[str, str]] = []
        _tell(told, _REQUESTS, self.requests, now)
        given, made = self.input_tokens, self.output_tokens
        nearer = given if made is None or (given is not None and given.remaining <= made.remaining) else made
        if nearer is not None:
            _tell(told, _TOKENS, nearer, now)
        if given is not None:
            _tell(told, _INPUT, given, now)
        if made is not None:
            _tell(told, _OUTPUT, made, now)
        return told


def _tell(told: list[tuple[str, str]], names: tuple[str, str, str], figure: Figure, now: float) -> None:
    told.append((names[0], str(figure.limit)))
    told.append((names[1], str(figure.remaining)))
    told.append((names[2], _rfc3339(math.ceil(now + figure.reset_seconds))))


def _rfc3339(seconds: int) -> str:
    told = _MOMENTS.get(seconds)
    if told is None:
        if len(_MOMENTS) >= _MOMENTS_MAX:
            _MOMENTS.clear()
        told = _MOMENTS[seconds] = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return told
