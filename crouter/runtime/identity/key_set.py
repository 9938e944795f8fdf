"""The keys by which an identity provider's tokens are verified: fetched, kept for a while, and never more than a few.

A key that is not known leads to one look at the provider, however many tokens name it. Only asymmetric keys count: one
that verifies and signs could be anybody's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import jwt

from crouter.runtime.identity.provider import ProviderAwayError

ALGORITHMS: Final = ("ES256", "RS256", "EdDSA")
FRESH_SECONDS: Final = 600.0
USABLE_SECONDS: Final = 3600.0
"""How long keys are believed while the provider cannot be asked; a key that was withdrawn lives on for so long."""
PAUSE_SECONDS: Final = 30.0
KEYS_MAX: Final = 16
_ASYMMETRIC: Final = ("EC", "RSA", "OKP")

Fetch = Callable[[], Awaitable[Mapping[str, Any]]]
"""Gives the provider's key set (RFC 7517) as parsed JSON. Raises ProviderAwayError."""


class KeySet:
    """Finds keys by their ids."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._lock = asyncio.Lock()

    async def key(self, identifier: str) -> jwt.PyJWK | None:
        """The key of that id, None if the provider has none. Raises ProviderAwayError."""
        if self._is_younger(FRESH_SECONDS) and identifier in self._keys:
            return self._keys[identifier]
        async with self._lock:
            await self._look(identifier)
        return self._keys.get(identifier)

    async def _look(self, identifier: str) -> None:
        now = self._clock()
        is_known = identifier in self._keys
        if self._is_younger(FRESH_SECONDS) and is_known:
            return
        if self._tried is not None and now - self._tried < PAUSE_SECONDS:
            if not self._is_younger(USABLE_SECONDS):
                raise ProviderAwayError
            return
        self._tried = now
        try:
            found = await self._fetch()
        except ProviderAwayError:
            if is_known and self._is_younger(USABLE_SECONDS):
                return
            raise
        self._keys, self._fetched = _usable(found), now

    def _is_younger(self, seconds: float) -> bool:
        return self._fetched is not None and self._clock() - self._fetched < seconds


def _usable(found: Mapping[str, Any]) -> dict[str, jwt.PyJWK]:
    listed = found.get("keys")
    keys: dict[str, jwt.PyJWK] = {}
    for entry in listed[:KEYS_MAX] if isinstance(listed, list) else ():
        if not isinstance(entry, dict) or entry.get("kty") not in _ASYMMETRIC or entry.get("use", "sig") != "sig":
            continue
        identifier, algorithm = entry.get("kid"), entry.get("alg")
        if isinstance(identifier, str) and identifier and (algorithm is None or algorithm in ALGORITHMS):
            try:
                key = jwt.PyJWK(entry)
            except jwt.PyJWTError:
                continue  # a kind of key that is not known here verifies nothing here
            if key.algorithm_name in ALGORITHMS:
                keys[identifier] = key
    return keys
