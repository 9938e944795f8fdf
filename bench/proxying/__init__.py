"""Crouter with everything on, beside nginx, a plain aiohttp proxy, and no proxy at all.

Upstream and load are ours, so that every byte is known. Left out so far: large bodies, paced streams, idle
connections, other gateways.
"""
