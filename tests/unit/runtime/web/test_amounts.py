"""Amounts are told exactly or rounded down, in every sign."""

import pytest

from crouter.runtime.web.amounts import usd, usd_plain, usd_short, usd_spent


@pytest.mark.parametrize(
    ("nanousd", "exact", "short", "plain"),
    [
        (0, "$0.00", "$0.00", "0.000000000"),
        (1, "$0.000000001", "$0.00", "0.000000001"),
        (25_000_000_000, "$25.00", "$25.00", "25.000000000"),
        (1_234_567_890_120_000_000, "$1,234,567,890.12", "$1,234,567,890.12", "1234567890.120000000"),
        (19_999_999_999, "$19.999999999", "$19.99", "19.999999999"),
        (-1, "−$0.000000001", "−$0.01", "-0.000000001"),
        (-1_500_000_000, "−$1.50", "−$1.50", "-1.500000000"),
    ],
)
def test_an_amount_is_exact_and_never_made_better_than_it_is(nanousd: int, exact: str, short: str, plain: str) -> None:
    assert (usd(nanousd), usd_short(nanousd), usd_plain(nanousd)) == (exact, short, plain)


@pytest.mark.parametrize(
    ("nanousd", "spent"), [(0, "$0.00"), (1, "$0.01"), (10_000_000, "$0.01"), (10_000_001, "$0.02"), (-1, "$0.00")]
)
def test_what_was_spent_is_never_made_small(nanousd: int, spent: str) -> None:
    assert usd_spent(nanousd) == spent
