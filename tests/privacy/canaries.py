"""Strings that can be nowhere by accident, and how they would look wherever they were written.

Every canary of a run begins with the same random mark, so that one search finds all of them in any amount of data, also
where only their beginning was kept. What a canary cannot be made to start with - an API key, an address - is a
term of its own.
"""

import base64
import ipaddress
import random
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LETTERS = string.ascii_lowercase + string.digits
_MARK_CHARS = 14
_OWN_CHARS = 8


@dataclass(frozen=True)
class Needle:
    """What is searched for: `data` is `term` in one encoding."""

    term: str
    form: str
    data: bytes


class Canaries:
    """Makes canaries for one run from a seed, and remembers where each was planted."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
        self.mark = "c" + self._letters(_MARK_CHARS - 1)
        self._positions: dict[str, str] = {}
        self._terms: dict[str, str] = {}

    def plant(self, position: str) -> str:
        """A new canary for a position such as `json/prompt`."""
        canary = self.mark + self._letters(_OWN_CHARS)
        self._positions[canary] = position
        return canary

    def watch(self, position: str, term: str) -> str:
        """Takes a secret or an address that exists already, to be searched for as well."""
        self._terms[position] = term
        return term

    def address(self, position: str) -> str:
        """An IPv6 address for documentation, that nobody else uses."""
        group = (f"{self._random.getrandbits(16) | 0x1000:x}" for _ in range(6))
        return self.watch(position, f"2001:db8:{':'.join(group)}")

    def positions(self) -> frozenset[str]:
        """Where canaries were planted until now."""
        return frozenset(self._positions.values())

    def position(self, canary: str) -> str:
        """Where a canary was planted."""
        return self._positions.get(canary, "(unknown)")

    def canary(self, position: str) -> str:
        """The first canary of a position. Raises StopIteration if none was planted there."""
        return next(canary for canary, planted in self._positions.items() if planted == position)

    def needles(self) -> tuple[Needle, ...]:
        """Everything that must not be found."""
        found = [Needle("", form, data) for form, data in forms(self.mark.encode())]
        for position, term in self._terms.items():
            found += [Needle(position, form, data) for form, data in forms(term.encode(), deep=False)]
            found += [Needle(position, "packed", packed) for packed in _packed(term)]
        return tuple(found)

    def planted_at(self, around: bytes) -> str:
        """The position of the canary in a piece of data that holds the mark in some form."""
        for canary, position in self._positions.items():
            if any(data in around for _, data in forms(canary.encode())):
                return position
        return "(the beginning of a canary)"

    def present(self, data: bytes) -> frozenset[str]:
        """The positions whose canaries stand in the data as they are."""
        return frozenset(position for canary, position in self._positions.items() if canary.encode() in data)

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices(_LETTERS, k=count))


def forms(text: bytes, *, deep: bool = True) -> Sequence[tuple[str, bytes]]:
    """A text in every encoding it may be written in; `deep` adds what is encoded twice."""
    found = {
        "raw": text,
        "upper case": text.upper(),
        "hex": text.hex().encode(),
        "upper-case hex": text.hex().upper().encode(),
        "percent": b"".join(b"%%%02x" % byte for byte in text),
        "upper-case percent": b"".join(b"%%%02X" % byte for byte in text),
        "JSON escapes": b"".join(b"\\u%04x" % byte for byte in text),
        "UTF-16": text.decode("ascii").encode("utf-16-le")[:-1],
    }
    for shift, data in enumerate(_base64_cores(text)):
        found[f"base64 +{shift}"] = data
        found[f"URL base64 +{shift}"] = data.replace(b"+", b"-").replace(b"/", b"_")
        if deep:
            found |= {f"base64 +{shift} in base64 +{outer}": twice for outer, twice in enumerate(_base64_cores(data))}
    return tuple({data: (form, data) for form, data in reversed(found.items())}.values())


def _base64_cores(text: bytes) -> Iterator[bytes]:
    """The characters that any base64 of data with `text` inside has, for its three possible places."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + text)
        first = (0, 2, 3)[shift]
        # The last group mixes with what follows, unless the text ends exactly with it.
        rest = (len(text) + shift) % 3
        last = len(encoded) - (4 - rest if rest else 0)
        yield encoded[first:last]


def _packed(term: str) -> Sequence[bytes]:
    try:
        return (ipaddress.ip_address(term).packed,)
    except ValueError:
        return ()
