"""The proxy's decisions: values in, decisions out. No I/O, no clock, no event loop.

Whoever owns the sockets feeds requests, response heads and bytes to this package and does what it decides.
Prices live in `crouter.runtime.pricing`; keys, limits and the ledger live elsewhere.
"""
