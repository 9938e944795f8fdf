"""Reads variables of the environment: each directly or from a file, and all that is wrong with them at once.

Problems name variables, never values. What the variables are is `crouter.runtime.settings`.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from crouter.runtime.secret import Secret

KEY_BYTES: Final = 32
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_VERSIONED_KEY = re.compile(r"([1-9][0-9]{0,8}):([A-Za-z0-9+/_=-]+)")


class SettingsError(Exception):
    """The environment does not describe a service. `problems` has a sentence for each mistake."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class VersionedKey:
    """One 256-bit key and the number that names it in the database."""

    version: int
    key: Secret[bytes]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one purpose, newest first. The newest is used for what is new, all for what exists."""

    keys: tuple[VersionedKey, ...]

    @property
    def newest(self) -> VersionedKey:
        return self.keys[0]

    def key(self, version: int) -> VersionedKey | None:
        """The key of that version, or None if it is not in the ring."""
        return next((key for key in self.keys if key.version == version), None)


@dataclass
class Reader:
    """Reads variables and collects what is wrong with them."""

    environ: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The value of NAME or the content of NAME_FILE; empty when neither is set."""
        value, path = self.environ.get(name, "").strip(), self.environ.get(f"{name}_FILE", "").strip()
        if value and path:
            self.problems.append(f"{name}: set {name} or {name}_FILE, not both")
        elif path:
            try:
                return Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                self.problems.append(f"{name}_FILE: the file cannot be read as text")
        return value

    def required(self, name: str, hint: str) -> str:
        before = len(self.problems)
        value = self.text(name)
        if not value and len(self.problems) == before:
            self.problems.append(f"{name}: not set; {hint}")
        return value

    def is_set(self, name: str) -> bool:
        """Whether NAME or NAME_FILE is there at all."""
        return any(self.environ.get(given, "").strip() for given in (name, f"{name}_FILE"))

    def key_ring(self, name: str) -> KeyRing:
        hint = (
            f"give {KEY_BYTES} random bytes as 1:BASE64, for instance the output of "
            f"`printf '1:%s' \"$(openssl rand -base64 {KEY_BYTES})\"`"
        )
        found: dict[int, VersionedKey] = {}
        for part in filter(None, (part.strip() for part in self.required(name, hint).split(","))):
            key = _versioned_key(part)
            if key is None:
                self.problems.append(f"{name}: every key is VERSION:BASE64 of {KEY_BYTES} bytes; {hint}")
                break
            if key.version in found:
                self.problems.append(f"{name}: version {key.version} is given twice")
                break
            found[key.version] = key
        return KeyRing(tuple(found[version] for version in sorted(found, reverse=True)))

    def count(self, name: str, otherwise: int) -> int:
        """A number of at least 1, or what it is when nothing is set."""
        text = self.text(name)
        if not text:
            return otherwise
        if not _COUNT.fullmatch(text):
            self.problems.append(f"{name}: is a number from 1 to 999999")
            return otherwise
        return int(text)

    def give_up_on_problems(self) -> None:
        if self.problems:
            raise SettingsError(tuple(self.problems))


def _versioned_key(text: str) -> VersionedKey | None:
    match = _VERSIONED_KEY.fullmatch(text)
    if match is None:
        return None
    try:
        # Both alphabets of RFC 4648 are in use; the padding is often left out.
        encoded = match[2].rstrip("=").replace("-", "+").replace("_", "/")
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        return None
    return VersionedKey(int(match[1]), Secret(key)) if len(key) == KEY_BYTES else None
