"""Medians and percentiles."""

import pytest

from bench.figures import Repeated, percentile


def test_a_repeated_figure_tells_its_middle_and_its_ends() -> None:
    figure = Repeated((3.0, 1.0, 10.0))
    assert (figure.median, figure.least, figure.most) == (3.0, 1.0, 10.0)


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_a_percentile_is_the_value_of_the_nearest_rank(percent: float, value: int) -> None:
    assert percentile(range(1, 101), percent) == value


def test_every_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 1) == percentile([7.0], 99) == 7.0
