"""When a batch that nobody reads is due: after 25 days, and in time for what the policy keeps for less long."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crouter.contract.retention import Expire, Period, RetentionPlan, Schedule
from crouter.runtime.unread_batches import unread_for
from tests.unit.runtime.declarations import DEPLOYMENT

HOURLY = Schedule(Period("PT1H", 0, 0, 3600), Period("PT1H", 0, 0, 3600))


def kept(record: str, months: int = 0, days: int = 0) -> Expire:
    period = Period("P", months=months, days=days, seconds=0)
    return Expire(record, f"retention.{record}", (record,), "created_at", period, HOURLY)


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ((), 25),
        ((kept("batch", days=30),), 25),
        ((kept("batch", months=12), kept("usage", months=12)), 25),
        ((kept("batch", days=12),), 10),
        ((kept("batch", months=1),), 28 * 5 / 6),
        ((kept("batch", days=6), kept("usage", days=30)), 5),
        ((kept("batch", days=30), kept("usage", days=6)), 5),
        ((kept("outbox", days=1), kept("batch", days=30)), 25),
    ],
)
def test_it_is_due_in_time_for_whatever_is_kept_for_less_long(rules: tuple[Expire, ...], days: float) -> None:
    plan = RetentionPlan(expire=rules, erase=(), evidence=None)
    assert unread_for(replace(DEPLOYMENT, retention=plan)) == timedelta(days=days)
