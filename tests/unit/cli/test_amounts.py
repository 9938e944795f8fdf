"""Dollars become nanodollars exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crouter.cli.amounts import CREDIT_USD_MAX, NANOUSD_PER_USD, AmountError, credit_nanousd, dollars


@pytest.mark.parametrize(
    ("text", "nanousd"),
    [
        ("25", 25_000_000_000),
        ("$25.00", 25_000_000_000),
        ("0.1", 100_000_000),
        ("0.000000001", 1),
        (" 12.345678901 ", 12_345_678_901),
        ("1000000", CREDIT_USD_MAX * NANOUSD_PER_USD),
    ],
)
def test_an_amount_is_read_to_the_nanodollar(text: str, nanousd: int) -> None:
    assert credit_nanousd(text) == nanousd


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0.000000000",
        "-1",
        "1e3",
        "1,000",
        "0.0000000001",
        ".5",
        "5.",
        "25 USD",
        "nan",
        "inf",
        "1000000.01",
        "٢٥",
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        credit_nanousd(text)


@given(st.integers(min_value=1, max_value=CREDIT_USD_MAX * NANOUSD_PER_USD))
def test_what_is_shown_can_be_read_again(nanousd: int) -> None:
    assert credit_nanousd(dollars(nanousd).replace(",", "")) == nanousd


def test_a_negative_balance_keeps_its_sign() -> None:
    assert dollars(-1_500_000_000) == "-$1.50"
    assert dollars(-1) == "-$0.000000001"
