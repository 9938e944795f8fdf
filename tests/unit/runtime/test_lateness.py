"""A row that comes late is judged by the same calendar as the jobs use."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from crouter.contract.retention import Period
from crouter.plan.plan import make_plan
from crouter.runtime.lateness import Lateness, end
from tests.cases.generate.cases import whole_policy

YEAR = Period("P12M", 12, 0, 0)


@pytest.mark.parametrize(
    ("moment", "keep", "expected"),
    [
        ("2024-02-29T10:00:00+00:00", YEAR, "2025-02-28T10:00:00+00:00"),
        ("2023-12-31T23:59:59+00:00", Period("P2M", 2, 0, 0), "2024-02-29T23:59:59+00:00"),
        ("2024-01-31T00:00:00+00:00", Period("P1MT1H", 1, 0, 3600), "2024-02-29T01:00:00+00:00"),
        ("2026-03-29T00:30:00+02:00", Period("P1D", 0, 1, 0), "2026-03-29T22:30:00+00:00"),
        ("2023-12-15T00:00:00+00:00", Period("P1M", 1, 0, 0), "2024-01-15T00:00:00+00:00"),
    ],
)
def test_months_are_calendar_months_in_utc(moment: str, keep: Period, expected: str) -> None:
    assert end(datetime.fromisoformat(moment), keep) == datetime.fromisoformat(expected)


@pytest.mark.claim("retain-usage")
def test_retain_usage__a_row_is_over_at_its_age_and_not_a_microsecond_before() -> None:
    lateness = Lateness(make_plan(whole_policy()).deployment, "usage")
    moment = datetime(2025, 11, 23, 12, tzinfo=timezone(timedelta(hours=5)))
    over = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert lateness.is_over("occurred_at", moment, over)
    assert not lateness.is_over("occurred_at", moment, over - timedelta(microseconds=1))


def test_a_record_without_a_period_is_never_over() -> None:
    lateness = Lateness(make_plan(whole_policy()).deployment, "ledger")
    assert not lateness.is_over("occurred_at", datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
