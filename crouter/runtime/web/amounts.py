"""Amounts of money as pages show them. Integers to the end: what is rounded is never made better than it is."""

from typing import Final

NANOUSD_PER_USD: Final = 1_000_000_000
DECIMALS: Final = 9


def usd(nanousd: int) -> str:
    """The exact amount, with two decimals or as many as it needs: `$25.00`, `−$0.000123`."""
    whole, rest = divmod(abs(nanousd), NANOUSD_PER_USD)
    decimals = f"{rest:0{DECIMALS}d}".rstrip("0").ljust(2, "0")
    # A minus sign, not a hyphen: it is as wide as a digit, and read out as minus.
    return f"{'−' if nanousd < 0 else ''}${whole:,}.{decimals}"


def usd_short(nanousd: int) -> str:
    """The amount in whole cents, rounded down: credit that is shown is there, and a debt is not made small."""
    cent = NANOUSD_PER_USD // 100
    return usd(nanousd // cent * cent)


def usd_spent(nanousd: int) -> str:
    """The amount in whole cents, rounded up: what was spent is not made small."""
    cent = NANOUSD_PER_USD // 100
    return usd(-(-nanousd // cent) * cent)


def usd_plain(nanousd: int) -> str:
    """The exact amount as programs read it, with all nine decimals and no currency: `-0.000123000`."""
    whole, rest = divmod(abs(nanousd), NANOUSD_PER_USD)
    return f"{'-' if nanousd < 0 else ''}{whole}.{rest:0{DECIMALS}d}"
