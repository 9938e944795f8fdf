"""Verifies access tokens: signed by a key of the provider's, for us, by that issuer, and not over."""

from collections.abc import Mapping
from typing import Any, Final

import jwt

from crouter.runtime.identity.key_set import ALGORITHMS, KeySet
from crouter.runtime.identity.provider import SignInRefusedError

REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub")
LEEWAY_SECONDS: Final = 10
TOKEN_CHARS_MAX: Final = 16_384


class TokenVerifier:
    """Knows one issuer and one audience."""

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What the token says. Raises SignInRefusedError for any other token, ProviderAwayError without keys."""
        identifier = _key_id(token)
        key = await self._keys.key(identifier)
        if key is None:
            raise SignInRefusedError("refused_token")
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED)},
            )
        except jwt.PyJWTError:
            raise SignInRefusedError("refused_token") from None
        return claims


def _key_id(token: str) -> str:
    """The key that the token names; nothing else of an unverified head is believed."""
    try:
        if len(token) > TOKEN_CHARS_MAX:
            raise SignInRefusedError("refused_token")
        head = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise SignInRefusedError("refused_token") from None
    identifier = head.get("kid")
    if head.get("alg") not in ALGORITHMS or not isinstance(identifier, str):
        raise SignInRefusedError("refused_token")
    return identifier
