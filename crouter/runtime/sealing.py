"""Seals values for the database, and makes the keyed hashes that find them. AES-256-GCM and HMAC-SHA-256.

Layout of a sealed value: key version (4 bytes, big endian), nonce (12), ciphertext and tag. It is bound to the
column and the row it was made for: moved to another row, it does not open.
"""

import hmac
import secrets
import struct
import uuid
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crouter.contract.deployment import Security
from crouter.runtime.environment import KeyRing

ENCRYPTION: Final = "AES-256-GCM"
LOOKUP: Final = "HMAC-SHA-256"
_VERSION = struct.Struct(">I")
_NONCE_BYTES: Final = 12


class SealError(Exception):
    """A sealed value cannot be opened: its key is not in the ring, or it was changed or moved."""


class UnsupportedMeasureError(Exception):
    """The policy promises an algorithm that this library does not carry out."""


def require_measures(security: Security) -> None:
    """Refuses a deployment that promises other algorithms. Raises UnsupportedMeasureError."""
    for promised, done in ((security.key_encryption, ENCRYPTION), (security.key_lookup, LOOKUP)):
        if promised != done:
            raise UnsupportedMeasureError(f"the policy promises {promised}, and this library does {done}")


@dataclass(frozen=True, slots=True)
class Place:
    """The column and row that a sealed value belongs to."""

    record: str
    field: str
    row: uuid.UUID

    def associated_data(self) -> bytes:
        return b"\x00".join((b"crouter", self.record.encode(), self.field.encode(), self.row.bytes))


class Sealer:
    """Seals with the newest key of a ring, opens with any of them."""

    def __init__(self, ring: KeyRing) -> None:
        self._newest = ring.newest.version
        self._ciphers = {key.version: AESGCM(key.key.reveal()) for key in ring.keys}

    def seal(self, plain: bytes, place: Place) -> bytes:
        """The sealed form of `plain`, for one place."""
        version, nonce = _VERSION.pack(self._newest), secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, plain, version + place.associated_data())
        return version + nonce + sealed

    def open(self, sealed: bytes, place: Place) -> bytes:
        """What was sealed. Raises SealError."""
        head = _VERSION.size + _NONCE_BYTES
        if len(sealed) < head:
            raise SealError("a sealed value is too short to be one")
        version = sealed[: _VERSION.size]
        cipher = self._ciphers.get(_VERSION.unpack(version)[0])
        if cipher is None:
            raise SealError("a value was sealed with a key that is not in the ring of sealing keys")
        try:
            return cipher.decrypt(sealed[_VERSION.size : head], sealed[head:], version + place.associated_data())
        except InvalidTag:
            raise SealError("a sealed value was changed or does not belong to its row") from None

    def is_newest(self, sealed: bytes) -> bool:
        """Whether a value is sealed with the newest key."""
        return sealed[: _VERSION.size] == _VERSION.pack(self._newest)


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """A keyed hash and the version of the key it was made with."""

    version: int
    digest: bytes


class KeyedHasher:
    """HMAC-SHA-256 under every key of a ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._newest = hmac.new(ring.newest.key.reveal(), digestmod="sha256")

    def newest(self, text: str) -> KeyedHash:
        """The hash to store for something new."""
        return self._hash(self._ring.newest.version, self._ring.newest.key.reveal(), text)

    def all(self, text: str) -> tuple[KeyedHash, ...]:
        """The hashes under which something may have been stored, newest first."""
        return tuple(self._hash(key.version, key.key.reveal(), text) for key in self._ring.keys)

    def newest_digest(self, text: str) -> bytes:
        """The digest of `newest`. Made for every request: what follows from the key alone is made once."""
        hashing = self._newest.copy()
        hashing.update(text.encode())
        return hashing.digest()

    @staticmethod
    def _hash(version: int, key: bytes, text: str) -> KeyedHash:
        return KeyedHash(version, hmac.digest(key, text.encode(), "sha256"))
