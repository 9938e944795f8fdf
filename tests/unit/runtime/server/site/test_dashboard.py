"""Charts hold every hour and day, also the empty ones, and lose nothing."""

from datetime import UTC, datetime, timedelta

from crouter.runtime.dashboard.usage_reader import Part, Totals
from crouter.runtime.server.site.dashboard import charts_of, sum_of

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def part(hours_back: int, model: str, cost: int) -> Part:
    start = NOW.replace(minute=0) - timedelta(hours=hours_back)
    return Part(start, model, Totals(1, {"input_tokens": 2, "output_tokens": 3, "web_search_requests": 9}, cost))


def test_every_hour_and_day_has_a_bar() -> None:
    parts = [part(0, "a", 1), part(0, "b", 10), part(9, "a", 100), part(10, "a", 1000), part(24 * 29, "b", 10_000)]
    hours, days, models = charts_of(parts, NOW, with_models=True)
    assert len(hours.bars) == 24
    assert (hours.bars[0].name, hours.bars[-1].name) == ("10:00", "09:00")
    assert [bar.totals.cost_nanousd for bar in hours.bars if bar.totals.requests] == [1000, 100, 11]
    assert len(days.bars) == 30
    assert (days.bars[0].name, days.bars[-1].name) == ("31 Jan", "01 Mar")
    # Nine hours back is today, ten is yesterday.
    assert [bar.totals.cost_nanousd for bar in days.bars if bar.totals.requests] == [10_000, 1000, 111]
    assert [(bar.name, bar.totals.cost_nanousd) for bar in models.bars] == [("b", 10_010), ("a", 1101)]
    assert sum_of(bar.totals for bar in days.bars) == sum_of(one.totals for one in parts)


def test_tokens_are_tokens_only() -> None:
    assert part(0, "a", 1).totals.tokens == 5


def test_a_chart_of_nothing_says_so() -> None:
    hours, days = charts_of([part(24 * 20, "a", 1)], NOW, with_models=False)
    assert (hours.is_empty, days.is_empty) == (True, False)
