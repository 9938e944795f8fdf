"""All scenarios, in the order in which they are played."""

from tests.torture.scenario import Scenario
from tests.torture.scenarios.disconnects import play_disconnects
from tests.torture.scenarios.kills import play_kills

SCENARIOS = (
    Scenario("kills", play_kills),
    Scenario("disconnects", play_disconnects),
)
