"""How long a balance lasts is told carefully."""

import pytest

from crouter.runtime.dashboard.standing import Standing

USD = 1_000_000_000


@pytest.mark.parametrize(
    ("standing", "lasts", "words"),
    [
        (Standing(0, 5 * USD, 7), 0, "Nothing is left: requests are answered with 402"),
        (Standing(-1, 0, 7), None, "Nothing is left"),
        (Standing(10 * USD, 0, 7), None, "Nothing was spent lately"),
        (Standing(10 * USD, 7 * USD, 7), 10, "At the pace of the last 7 days, about 10 days."),
        (Standing(10 * USD, 10 * USD, 1), 1, "At today’s pace, about 1 day."),
        (Standing(10 * USD, 35 * USD, 2), 0, "At the pace of the last 2 days, less than a day."),
        (Standing(400 * USD, 7 * USD, 7), 400, "At the pace of the last 7 days, more than a year."),
        # A day's cost is rounded up, so that what is left never looks like more.
        (Standing(10, 8, 7), 5, "about 5 days"),
    ],
)
def test_how_long_it_lasts(standing: Standing, lasts: int | None, words: str) -> None:
    assert standing.lasts_days == lasts
    assert words in standing.words
