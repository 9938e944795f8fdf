"""Finds the API key a client presents, and tells by its form alone whether it can be one of ours.

Whether the key exists, and whose it is, is answered by a keyed hash elsewhere. Nothing here prints a key.
"""

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

PRESENTED_KEY_CHARS_MAX: Final = 512
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = {character: value for value, character in enumerate(_BASE62)}


class ApiKey:
    """A key in clear text. It compares by value and is shown only by `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The key itself: for hashing it, or for showing it once to its owner."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ApiKey) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "ApiKey(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("an API key in clear text is not serialised")


# Not frozen, and with an `__init__` of its own: one is made for every request, and others take several times as long.
@dataclass(init=False, slots=True)
class Presented:
    """Exactly one key was presented, in one header or twice the same."""

    key: ApiKey

    def __init__(self, key: ApiKey) -> None:
        self.key = key


@dataclass(frozen=True, slots=True)
class Missing:
    """No key was presented."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Different keys were presented: to pick one would be to guess who pays."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """What was presented can be nobody's key: another scheme, unprintable, or too long."""


Presentation = Presented | Missing | Ambiguous | Malformed

_MISSING = Missing()
_AMBIGUOUS = Ambiguous()
_MALFORMED = Malformed()


def presented_key(headers: Iterable[tuple[str, str]]) -> Presentation:
    """Reads `x-api-key` and `Authorization: Bearer` (RFC 6750 2.1); an empty header counts as absent."""
    found: str | None = None
    for name, value in headers:
        lower = name.lower()
        if lower == "x-api-key":
            candidate = value.strip()
        elif lower == "authorization":
            scheme, _, credentials = value.strip().partition(" ")
            if scheme and scheme.lower() != "bearer":
                return _MALFORMED
            candidate = credentials.strip()
        else:
            continue
        if not candidate:
            continue
        if len(candidate) > PRESENTED_KEY_CHARS_MAX or not _is_visible(candidate):
            return _MALFORMED
        if found is not None and candidate != found:
            return _AMBIGUOUS
        found = candidate
    return _MISSING if found is None else Presented(ApiKey(found))


def _is_visible(text: str) -> bool:
    """Whether a text is ASCII and has nothing in it that is not seen."""
    return text.isascii() and text.isprintable() and " " not in text


class ApiKeyFormat:
    """The form of our own keys: prefix, 256 random bits in base 62, and a checksum in base 62.

    The checksum is no secret and proves nothing; it turns a mistyped or invented key away
    before a database is asked. Look-up and comparison stay with the keyed hash.
    """

    PREFIX: Final = "sk-cr-"
    SECRET_BYTES: Final = 32
    _SECRET_CHARS: Final = 43  # 62**43 > 2**256
    _CHECKSUM_CHARS: Final = 6  # 62**6 > 2**32

    def __init__(self, prefix: str = PREFIX) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*-", prefix):
            raise ValueError("a key's prefix is lower-case words, each followed by a hyphen")
        self.prefix = prefix
        self.chars = len(prefix) + self._SECRET_CHARS + self._CHECKSUM_CHARS

    def key(self, secret: bytes) -> ApiKey:
        """The key made of 32 random bytes; the caller brings the randomness."""
        if len(secret) != self.SECRET_BYTES:
            raise ValueError(f"a key is made of {self.SECRET_BYTES} random bytes")
        body = self.prefix + _base62(int.from_bytes(secret, "big"), self._SECRET_CHARS)
        return ApiKey(body + self._checksum(body))

    def accepts(self, key: ApiKey) -> bool:
        """Whether the text has the form of a key of ours, checksum included."""
        text = key.reveal()
        if len(text) != self.chars or not text.startswith(self.prefix):
            return False
        value = 0
        for character in text[len(self.prefix) : -self._CHECKSUM_CHARS]:
            digit = _DIGITS.get(character)
            if digit is None:
                return False
            value = value * 62 + digit
        body = text[: -self._CHECKSUM_CHARS]
        return value < 1 << 256 and text[-self._CHECKSUM_CHARS :] == self._checksum(body)

    def _checksum(self, body: str) -> str:
        return _base62(zlib.crc32(body.encode("ascii")), self._CHECKSUM_CHARS)


def _base62(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, digit = divmod(value, 62)
        digits.append(_BASE62[digit])
    assert value == 0, "the width holds every value"
    return "".join(reversed(digits))
