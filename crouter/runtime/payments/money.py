"""Cents, in which Stripe counts, and nanodollars, in which we do. Every sum is an integer."""

from typing import Final

CENT_NANOUSD: Final = 10**7
CURRENCY: Final = "usd"
TOP_UP_CENTS_MIN: Final = 5_00
TOP_UP_CENTS_MAX: Final = 1_000_00
TOP_UP_CHOICES_CENTS: Final = (10_00, 25_00, 50_00, 100_00)


class AmountError(Exception):
    """What stands in a form is not an amount that can be paid. The message is for whoever filled it in."""


def cents(nanousd: int) -> int:
    """Whole cents; what is less than one is left out."""
    return nanousd // CENT_NANOUSD


def nanousd(cents: int) -> int:
    """The same amount in nanodollars."""
    return cents * CENT_NANOUSD


def read_cents(text: str, *, least: int = 1, most: int = TOP_UP_CENTS_MAX) -> int:
    """Dollars as a person writes them, such as 25, $25 or 12.50, in cents. Raises AmountError."""
    whole, point, rest = text.strip().removeprefix("$").strip().replace(",", "").partition(".")
    digits = whole + rest
    if not (whole and digits.isascii() and digits.isdigit()) or len(rest) > 2 or len(whole) > 9 or (point and not rest):
        raise AmountError("Give an amount in dollars, such as 25 or 12.50.")
    found = int(whole) * 100 + int(rest.ljust(2, "0") or "0")
    if not least <= found <= most:
        raise AmountError(f"Give an amount between {shown(least)} and {shown(most)}.")
    return found


def shown(amount: int) -> str:
    """Cents as dollars, such as $12.50."""
    return f"${amount // 100:,}.{amount % 100:02d}"
