"""Keys of the contract server: signs access tokens, publishes what verifies them, and rotates."""

import base64
import hmac
import json
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

TOKEN_SECONDS = 3600


class SigningKeys:
    """The newest key signs; all that were not withdrawn are published."""

    def __init__(self) -> None:
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.rotate()

    @property
    def newest(self) -> str:
        """The id of the key that signs."""
        return next(reversed(self._keys))

    def rotate(self) -> str:
        """A new key signs from now on; gives its id."""
        kid = str(uuid.uuid4())
        self._keys[kid] = ec.generate_private_key(ec.SECP256R1())
        return kid

    def withdraw(self, kid: str) -> None:
        """Publishes a key no more."""
        del self._keys[kid]

    def published(self) -> dict[str, Any]:
        """The key set of RFC 7517."""
        return {"keys": [self.public(kid) for kid in self._keys]}

    def public(self, kid: str) -> dict[str, Any]:
        """One published key."""
        told: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(self._keys[kid].public_key()))
        return {**told, "kid": kid, "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": True}

    def sign(self, claims: dict[str, Any], **head: Any) -> str:
        """A token by the newest key."""
        kid = self.newest
        return jwt.encode(claims, self._keys[kid], algorithm="ES256", headers={"kid": kid, **head})


def access_claims(issuer: str, user: dict[str, Any], session: uuid.UUID, **other: Any) -> dict[str, Any]:
    """What an access token of Supabase Auth says."""
    now = int(time.time())
    return {
        "iss": issuer,
        "sub": user["id"],
        "aud": "authenticated",
        "exp": now + TOKEN_SECONDS,
        "iat": now,
        "email": user["email"],
        "phone": "",
        "app_metadata": user["app_metadata"],
        "user_metadata": user["user_metadata"],
        "role": "authenticated",
        "aal": "aal1",
        "amr": [{"method": "oauth", "timestamp": now}],
        "session_id": str(session),
        "is_anonymous": False,
        **other,
    }


def unsigned(claims: dict[str, Any], algorithm: str = "none", **head: str) -> str:
    """A token that says how it is signed, and has no signature."""
    return f"{_part({'alg': algorithm, 'typ': 'JWT', **head})}.{_part(claims)}."


def shared_secret(claims: dict[str, Any], secret: bytes, kid: str) -> str:
    """A token signed with a secret that whoever verifies it has to know; libraries refuse to make it."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{_part(claims)}"
    return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
