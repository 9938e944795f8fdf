"""The upstream reports what is no count: negative, huge, text, null, nothing. It is never billed and never lost."""

import asyncio
from typing import Any, Final

from tests.torture import answers
from tests.torture.journals import Saw
from tests.torture.upstream import Plan, Script
from tests.torture.world import World

VALUES: Final[tuple[Any, ...]] = (
    -1, 0, 10**12, 10**12 + 1, 2**63, 10**30, "7", "", None, True, False, 1.5, 7.0, 1e300, [], [7], {}, {"a": 7},
)  # fmt: skip
FIELDS: Final = ("input_tokens", "output_tokens", "cache_creation_input_tokens")
# Whole objects in the place of `usage`, or none.
WHOLE: Final[tuple[Any, ...]] = (
    None,
    [],
    "7",
    7,
    {},
    {"unheard_of": 7},
    {"server_tool_use": None},
    {"cache_creation": 7},
)
_TOGETHER = 16


async def play_wrong_usage(world: World) -> None:
    """Every value in every field, first and last, in streams and messages."""
    plans: list[Plan] = [_last_says({field: value}) for field in FIELDS for value in VALUES]
    plans += [_first_says({field: value}) for field in FIELDS for value in VALUES]
    plans += [_message_says({field: value}) for field in FIELDS for value in VALUES]
    plans += [_message_says({"server_tool_use": {"web_search_requests": value}}) for value in VALUES]
    plans += [_last_says({"cache_creation": {"ephemeral_5m_input_tokens": value}}) for value in VALUES]
    plans += [_last_is(value) for value in WHOLE]
    plans += [_repeated, _late_fields, _unpriced_key]
    turns = asyncio.Semaphore(_TOGETHER)

    async def one(plan: Plan) -> Saw:
        async with turns:
            return await world.ask(plan)

    saws = await asyncio.gather(*map(one, plans))
    if not all(saw.whole for saw in saws):
        raise world.fails("odd usage does not stop an answer")


def _last_says(usage: dict[str, Any]) -> Plan:
    def plan(identity: int) -> Script:
        *events, _, stop = answers.stream(identity)
        data = {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9, **usage}}
        return Script((*events, answers.event("message_delta", data), stop))

    return plan


def _last_is(usage: Any) -> Plan:
    def plan(identity: int) -> Script:
        *events, _, stop = answers.stream(identity)
        data = {"delta": {"stop_reason": "end_turn"}, "usage": usage}
        return Script((*events, answers.event("message_delta", data), stop))

    return plan


def _first_says(usage: dict[str, Any]) -> Plan:
    return lambda identity: Script((answers.start(identity, **usage), *answers.stream(identity)[1:]))


def _message_says(usage: dict[str, Any]) -> Plan:
    return lambda identity: Script((answers.message(identity, **usage),), media_type=answers.JSON, framing="length")


def _repeated(identity: int) -> Script:
    """Cumulative counts that come again, and once come down: the last one wins."""
    *events, stop = answers.stream(identity)
    again = [answers.delta(count, input_tokens=11, cache_read_input_tokens=identity) for count in (20, 30, 25)]
    return Script((*events, *again, stop))


def _late_fields(identity: int) -> Script:
    *events, stop = answers.stream(identity)
    late = {
        "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 30},
        "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
    }
    return Script((*events, answers.delta(31, **late), stop))


def _unpriced_key(identity: int) -> Script:
    return Script(answers.stream(identity, 2, thinking_tokens=5, further={"deep_tokens": 6}))
