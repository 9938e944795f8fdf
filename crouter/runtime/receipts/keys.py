"""The keys that sign receipts, and the set of public keys that anybody verifies them with (RFC 7517, RFC 8037).

A key's id is its thumbprint (RFC 7638), so that it names the key itself and not its place in somebody's settings. The
set also says whose receipts its keys sign: `issuer`, a member of our own, as RFC 7517 allows.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crouter.runtime.environment import KeyRing
from crouter.runtime.receipts.errors import ReceiptRefusedError
from crouter.runtime.receipts.json_text import compact, read_object
from crouter.runtime.receipts.jws import ALGORITHM, encoded, sign

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class KeySet:
    """The public keys of one service by their ids. `issuer` is empty where the set does not say."""

    issuer: str
    keys: Mapping[str, Ed25519PublicKey]


class SigningKeys:
    """Signs with the newest key of a ring; every key of the ring stays published."""

    def __init__(self, ring: KeyRing) -> None:
        private = [Ed25519PrivateKey.from_private_bytes(key.key.reveal()) for key in ring.keys]
        self._newest = private[0]
        self._public = tuple(key.public_key() for key in private)
        self._newest_id = key_id(self._public[0])

    def sign(self, payload: bytes, kind: str) -> str:
        """`payload` as a compact JWS of that kind."""
        return sign(payload, self._newest, self._newest_id, kind)

    def published(self, issuer: str) -> bytes:
        """The key set as a file, newest key first."""
        keys = [
            {**_members(key), "kid": key_id(key), "alg": ALGORITHM, "use": "sig", "key_ops": ["verify"]}
            for key in self._public
        ]
        return compact({"issuer": issuer, "keys": keys}) + b"\n"


def key_id(key: Ed25519PublicKey) -> str:
    """The thumbprint of a public key: SHA-256 over its required members in the order of their names."""
    return encoded(hashlib.sha256(compact(dict(sorted(_members(key).items())))).digest())


def read_key_set(text: bytes) -> KeySet:
    """The Ed25519 keys of a key set; keys of other kinds are passed over. Raises ReceiptRefusedError."""
    value = read_object(text, "the key set")
    members, issuer = value.get("keys"), value.get("issuer", "")
    if not isinstance(members, list) or not isinstance(issuer, str):
        raise ReceiptRefusedError("the key set has no list of keys, as RFC 7517 has it")
    found = [_public_key(member) for member in members if isinstance(member, dict) and _may_verify(member)]
    return KeySet(issuer, {key_id(key): key for key in found})


def _may_verify(member: dict[str, Any]) -> bool:
    is_ours = (member.get("kty"), member.get("crv")) == ("OKP", "Ed25519")
    return is_ours and member.get("alg", ALGORITHM) == ALGORITHM and member.get("use", "sig") == "sig"


def _public_key(member: dict[str, Any]) -> Ed25519PublicKey:
    try:
        text = str(member.get("x"))
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        key = Ed25519PublicKey.from_public_bytes(data)
    except (binascii.Error, ValueError):
        raise ReceiptRefusedError(f"a key of the key set is not {_KEY_BYTES} bytes of base64url") from None
    # A name that a key does not have of itself could be given to another one later.
    if member.get("kid") != key_id(key):
        raise ReceiptRefusedError("a key of the key set does not have its thumbprint as its id")
    return key


def _members(key: Ed25519PublicKey) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_bytes_raw())}
