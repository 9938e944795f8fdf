"""A job that stops is silent: the service notices by the evidence of its runs."""

from datetime import UTC, datetime, timedelta

from crouter.runtime.heartbeat import Heartbeat
from tests.unit.runtime.retention.databases import Declared

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

HOUR = timedelta(hours=1)


def test_a_rule_is_late_after_its_interval_and_its_lag(declared: Declared) -> None:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    heartbeat = Heartbeat(declared.deployment, start)
    assert heartbeat.look({}, start + 2 * HOUR) == frozenset()
    assert heartbeat.look({}, start + 2 * HOUR + timedelta(microseconds=1)) == {"usage"}
    assert heartbeat.late == {"usage"}
    assert heartbeat.look({}, start + 3 * HOUR) == frozenset(), "told once"
    assert heartbeat.look({"usage": start + 3 * HOUR}, start + 5 * HOUR) == frozenset()
    assert heartbeat.late == frozenset()
    assert heartbeat.look({"usage": start + 60 * HOUR}, start + 60 * HOUR) == {"deletion", "evidence"}
