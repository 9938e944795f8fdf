"""Every scenario in its short form; `make torture` plays them at length."""

import sys

import psycopg
import pytest

from tests.torture.catalogue import SCENARIOS
from tests.torture.ground import Ground
from tests.torture.scenario import Scenario, play
from tests.torture.world import DifferError, World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SKIPPED: faults are made with Linux' means")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
async def test_the_journals_agree_after(scenario: Scenario, ground: Ground, torture_seed: int) -> None:
    if scenario.missing:
        pytest.skip(f"SKIPPED: THIS MACHINE LACKS {', '.join(scenario.missing)}")
    print(f"{scenario.name}: seed {torture_seed}")  # noqa: T201  pytest shows it with a failure
    await play(scenario, ground, torture_seed, long=False)


async def _lose_a_row(world: World) -> None:
    await world.ask()
    await world.compare()
    with psycopg.connect(world.dsn()) as connection:
        connection.execute("DELETE FROM crouter.usage")


async def _charge_twice(world: World) -> None:
    await world.ask()
    await world.compare()
    with psycopg.connect(world.dsn()) as connection:
        connection.execute("SET session_replication_role TO replica")  # entries are written once otherwise
        connection.execute("UPDATE crouter.ledger SET amount_nanousd = amount_nanousd * 2 WHERE kind = 'charge'")


async def _take_an_end_away(world: World) -> None:
    saw = await world.ask()
    del saw.body[-20:]


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (_lose_a_row, "an end that was seen has its record"),
        (_charge_twice, "never billed above what was reported"),
        (_take_an_end_away, "nothing is made to look whole"),
    ],
)
async def test_what_is_spoilt_in_a_running_world_is_noticed(
    spoil: object, rule: str, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(spoil)
    monkeypatch.setattr("tests.torture.world.SETTLED_SECONDS", 2.0)
    with pytest.raises(DifferError) as caught:
        await play(Scenario("spoilt", spoil), ground, 1, long=False)
    assert rule in caught.value.rules
    assert "--scenario spoilt --seed 1" in str(caught.value)


def test_every_scenario_has_a_name_of_its_own() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)
