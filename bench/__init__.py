"""Measures what Crouter costs: the generator's time, and the proxy beside others. `python -m bench --help` says how.

Leaves out whether the results are right, but for one thing: what comes through a proxy is compared byte by byte.
"""
