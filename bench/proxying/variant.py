"""A Crouter that leaves features out, to see what each costs: `python -m bench.proxying.variant [FEATURE]...`.

Only this process can do that, by putting methods that do nothing in the place of others before it starts the real
service. No setting of Crouter's leaves anything out, and nothing can be replaced in what is compiled: this one runs the
sources.
"""

import asyncio
import importlib
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any

from crouter.runtime.compiled.use import INTERPRETED

FEATURES = ("key check", "limits", "reservation", "metering", "journal")
"""In the order in which a request meets them."""

_RUNTIME = "crouter.runtime."
_Made = Callable[[Callable[..., Any]], Callable[..., Any]]
# Where each feature is done: module, class or nothing, function, and what stands there when it is left out. A place
# that a version of Crouter does not have is passed over, a feature with no place at all is refused.
_Place = tuple[str, str, str, _Made]


def leave_out(feature: str) -> None:
    """Puts nothing in the place of a feature. Raises LookupError where Crouter does not do it in any known place."""
    found = [(holder, place) for place in _places(feature) if (holder := _holder(place)) is not None]
    if not found:
        raise LookupError(f"nothing is known that does the {feature}")
    for holder, (_, _, name, made) in found:
        setattr(holder, name, made(getattr(holder, name)))


def is_known(feature: str) -> bool:
    """Whether this version of Crouter does a feature in a place that is known here."""
    return any(_holder(place) is not None for place in _places(feature))


def _places(feature: str) -> tuple[_Place, ...]:
    match feature:
        case "key check":
            return (
                ("key_lookup", "KeyLookup", "known", _first_answer),
                ("key_lookup", "KeyLookup", "caller", _first_answer_later),
            )
        case "limits":
            return (("limits", "RateLimits", "admit", _always(_NoPass())),)
        case "reservation":
            return (
                ("balances", "Balances", "has_credit", _always_later(True)),
                ("pricing.most", "", "most_it_can_cost", _always(0)),
                ("credit.credit", "Credit", "try_reserve", _always(_NoHold())),
                ("credit.credit", "Credit", "release", _always(None)),
            )
        case "metering":
            return (("proxy.attempt", "Attempt", "body", _unread), ("proxy.attempt", "Attempt", "end", _no_draft))
        case "journal":
            return (
                ("settling", "Settling", "record", _recorded_already),
                ("settling", "Settling", "begin", _written_already),
                ("settling", "Settling", "written", _always_later(None)),
            )
        case _:
            return ()


class _NoHold:
    """Stands for credit that nobody reserved."""

    is_open = False

    def close(self, cost_nanousd: int = 0) -> None:
        pass


class _NoPass:
    """Stands for a request that nobody counted."""

    def used(self, input_tokens: int, output_tokens: int) -> None:
        pass

    def standing(self) -> "_NoPass":
        return self

    def headers(self, now: float) -> list[tuple[str, str]]:
        return []

    def close(self) -> None:
        pass


def _holder(place: _Place) -> Any:
    """The module or class that has the function; None where there is none."""
    module, owner, name, _ = place
    try:
        found: Any = importlib.import_module(_RUNTIME + module)
    except ModuleNotFoundError:
        return None
    if owner:
        found = getattr(found, owner, None)
    return found if hasattr(found, name) else None


def _always(value: object) -> _Made:
    return lambda original: lambda *given, **named: value


def _always_later(value: object) -> _Made:
    async def later(*given: object, **named: object) -> object:
        return value

    return lambda original: later


def _first_answer(original: Callable[..., Any]) -> Callable[..., Any]:
    """Asks once, and says the same from then on."""
    known: list[Any] = []

    def answer(*given: object, **named: object) -> object:
        if known:
            return known[0]
        found = original(*given, **named)
        if found is not None:
            known.append(found)
        return found

    return answer


def _first_answer_later(original: Callable[..., Any]) -> Callable[..., Any]:
    known: list[Any] = []

    async def answer(*given: object, **named: object) -> object:
        if not known:
            known.append(await original(*given, **named))
        return known[0]

    return answer


def _unread(original: Callable[..., Any]) -> Callable[..., Any]:
    """Keeps the state of an attempt in order without reading what passes."""
    streaming = importlib.import_module(f"{_RUNTIME}proxy.attempt").State.STREAMING

    def body(self: Any, data: bytes) -> None:
        self.state = streaming

    return body


def _no_draft(original: Callable[..., Any]) -> Callable[..., Any]:
    ended = importlib.import_module(f"{_RUNTIME}proxy.attempt").State.ENDED

    def end(self: Any, ending: object) -> None:
        self.state = ended

    return end


def _recorded_already(original: Callable[..., Any]) -> Callable[..., Any]:
    def record(self: object, settlement: object, hold: Any) -> bool:
        hold.close()
        return True

    return record


def _written_already(original: Callable[..., Any]) -> Callable[..., Any]:
    def begin(*given: object, **named: object) -> "asyncio.Future[bool]":
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        done.set_result(True)
        return done

    return begin


if __name__ == "__main__":
    os.environ[INTERPRETED] = "1"
    # Before the service is imported, so that what is imported by name is replaced as well.
    for left_out in FEATURES:
        if left_out not in sys.argv[1:]:
            leave_out(left_out)
    runpy.run_module("generated.service", run_name="__main__", alter_sys=True)
