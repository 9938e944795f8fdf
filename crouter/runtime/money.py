"""Amounts as people read them. Exact: nothing is rounded."""

from typing import Final

NANOUSD_PER_USD: Final = 1_000_000_000


def dollars(nanousd: int) -> str:
    """The amount with two decimals, or as many as it needs: `$25.00`, `-$0.000123`."""
    whole, rest = divmod(abs(nanousd), NANOUSD_PER_USD)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{'-' if nanousd < 0 else ''}${whole:,}.{decimals}"
