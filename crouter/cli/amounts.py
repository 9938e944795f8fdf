"""Dollars as people write them, turned into nanodollars as the ledger keeps them. Exact."""

import re
from typing import Final

from crouter.runtime.money import NANOUSD_PER_USD, dollars

__all__ = ["CREDIT_USD_MAX", "NANOUSD_PER_USD", "AmountError", "credit_nanousd", "dollars"]

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
