"""Rhythms: as declared where cron can say it, otherwise more often, never less."""

import pytest

from crouter.contract.retention import Period
from crouter.runtime.retention import RetentionRefusedError
from crouter.runtime.retention.schedule import cron


@pytest.mark.parametrize(
    ("every", "expression"),
    [
        (Period("PT1H", 0, 0, 3600), "0 * * * *"),
        (Period("P1D", 0, 1, 0), "0 3 * * *"),
        (Period("PT24H", 0, 0, 86400), "0 3 * * *"),
        (Period("P1W", 0, 7, 0), "0 3 * * 1"),
        (Period("PT15M", 0, 0, 900), "*/15 * * * *"),
        (Period("PT6H", 0, 0, 21600), "0 */6 * * *"),
        (Period("PT1M", 0, 0, 60), "* * * * *"),
    ],
)
def test_a_rhythm_that_cron_can_say_is_said(every: Period, expression: str) -> None:
    assert cron(every) == expression


@pytest.mark.parametrize(
    ("every", "expression"),
    [
        (Period("PT90M", 0, 0, 5400), "0 * * * *"),
        (Period("PT45M", 0, 0, 2700), "*/30 * * * *"),
        (Period("P2D", 0, 2, 0), "0 3 * * *"),
        (Period("P1M", 1, 0, 0), "0 3 * * 1"),
        (Period("PT119S", 0, 0, 119), "* * * * *"),
    ],
)
def test_any_other_rhythm_becomes_the_next_faster_one(every: Period, expression: str) -> None:
    assert cron(every) == expression


def test_less_than_a_minute_is_refused_with_its_name() -> None:
    with pytest.raises(RetentionRefusedError, match="PT30S"):
        cron(Period("PT30S", 0, 0, 30))
