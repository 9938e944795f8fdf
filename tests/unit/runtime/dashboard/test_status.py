"""The state of the whole is the worst of its parts, and asking often asks nobody more."""

import pytest

from crouter.runtime.dashboard.status import KEPT_SECONDS, PartStatus, ServiceStatus, State, overall, upstream_check
from crouter.runtime.proxy.upstream_keys import Outcome, Report, Taken, UpstreamKeys
from crouter.runtime.secret import Secret


def part(state: State) -> PartStatus:
    return PartStatus("part", "Part", state, "It is so.")


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (("up", "off"), "up"),
        (("up", "limited", "off"), "limited"),
        (("limited", "down", "up"), "down"),
        ((), "up"),
    ],
)
def test_the_worst_part_decides(states: tuple[State, ...], whole: State) -> None:
    assert overall([part(state) for state in states]) == whole


async def test_many_who_look_ask_once() -> None:
    now, asked = [100.0], 0

    async def check() -> PartStatus:
        nonlocal asked
        asked += 1
        return part("up")

    status = ServiceStatus([check], lambda: now[0])
    for _ in range(5):
        assert await status.parts() == (part("up"),)
    assert asked == 1
    now[0] += KEPT_SECONDS
    await status.parts()
    assert asked == 2


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([], "up"),
        ([Outcome.ANSWERED] * 5, "up"),
        ([Outcome.FAULTY] * 3, "limited"),
        ([Outcome.REFUSED] * 3, "down"),
    ],
)
async def test_the_upstream_is_as_attempts_found_it(outcomes: list[Outcome], state: State) -> None:
    keys = UpstreamKeys([Secret("sk-ant-1")], lambda: 10.0)
    for outcome in outcomes:
        taken = keys.take(model="claude-haiku-4-5")
        assert isinstance(taken, Taken)
        keys.give_back(taken, Report(outcome))
    assert (await upstream_check(keys, "Anthropic")()).state == state
