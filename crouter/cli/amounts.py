"""Dollars as people write them, and nanodollars as the ledger keeps them. Exact in both directions."""

import re
from typing import Final

NANOUSD_PER_USD: Final = 1_000_000_000
CREDIT_USD_MAX: Final = 1_000_000
_DOLLARS = re.compile(r"\$?([0-9]{1,12})(?:\.([0-9]{1,9}))?")


class AmountError(ValueError):
    """The text is no amount that can be credited; the message says why."""


def credit_nanousd(text: str) -> int:
    """Nanodollars of a positive amount such as `25`, `0.5` or `$12.345678901`. Raises AmountError."""
    match = _DOLLARS.fullmatch(text.strip())
    if match is None:
        raise AmountError("an amount is dollars with at most nine decimals, such as 25 or 12.50")
    nanousd = int(match[1]) * NANOUSD_PER_USD + int((match[2] or "").ljust(9, "0"))
    if nanousd == 0:
        raise AmountError("an amount is more than zero")
    if nanousd > CREDIT_USD_MAX * NANOUSD_PER_USD:
        raise AmountError(f"an amount is at most {CREDIT_USD_MAX:,} dollars")
    return nanousd


def dollars(nanousd: int) -> str:
    """The amount with two decimals, or as many as it needs: `$25.00`, `-$0.000123`."""
    whole, rest = divmod(abs(nanousd), NANOUSD_PER_USD)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanousd < 0 else ''}${whole:,}.{decimals}"
