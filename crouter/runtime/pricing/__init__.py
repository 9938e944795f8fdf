"""What requests cost: explicit integer rates with effective dates, and nothing derived from a multiplier.

Money is in nanodollars (1e-9 USD): a price of one dollar per million tokens is 1,000 nanodollars per token, and
every published price is a whole number of them. Balances and the ledger live elsewhere.
"""
