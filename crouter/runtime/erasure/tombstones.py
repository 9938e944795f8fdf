"""A file beside the database that remembers deletions, so that a restored backup brings nobody back.

A line holds a keyed hash of an account's id, the number of the key, and when its deletion was asked for, or `-` for one
that was taken back; the last line of an account is what holds. The hash is made with a key of its own: who has the file
learns how many deletions there were and when, and nothing about whose. Lines are only ever added, each is on the disk
before `add` returns, and a line that was torn by a crash, which lacks its end, is none.

The file belongs outside what is backed up together with the database. Several machines share one file.
"""

import fcntl
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crouter.runtime.environment import KeyRing
from crouter.runtime.sealing import KeyedHasher

HEADER: Final = b"crouter tombstones 1\n"
_LINE: Final = re.compile(rb"([1-9][0-9]{0,8}) ([0-9a-f]{64}) (-|[0-9T:.+-]{19,40});", re.ASCII)


class TombstonesUnusableError(Exception):
    """The file is not there, cannot be read, or lacks what the database knows; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What an account's last line says: the hash, and since when the deletion runs, None if it was taken back."""

    digest: bytes
    asked_at: datetime | None


class Tombstones:
    """The file of one deployment. Its methods block; they raise TombstonesUnusableError."""

    def __init__(self, path: Path, ring: KeyRing) -> None:
        self._path = path
        self._hasher = KeyedHasher(ring)

    @property
    def exists(self) -> bool:
        return self._path.exists()

    def digest(self, account: uuid.UUID) -> bytes:
        """The hash that a new line of an account has."""
        return self._hasher.newest_digest(_text(account))

    def digests(self, account: uuid.UUID) -> tuple[bytes, ...]:
        """Every hash under which a line of an account may stand, newest first."""
        return tuple(found.digest for found in self._hasher.all(_text(account)))

    def begin(self) -> None:
        """Make the file, if it is not there."""
        with self._opened(os.O_CREAT) as file:
            if os.fstat(file).st_size == 0:
                _write(file, HEADER)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def add(self, account: uuid.UUID, asked_at: datetime | None) -> None:
        """A deletion was asked for, or taken back. On the disk when this returns."""
        newest = self._hasher.newest(_text(account))
        moment = asked_at.astimezone(UTC).isoformat() if asked_at is not None else "-"
        line = f"{newest.version} {newest.digest.hex()} {moment};\n".encode("ascii")
        with self._opened(0) as file:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            _write(file, b"\n" + line if torn else line)

    def read(self) -> Mapping[bytes, Tombstone]:
        """What holds for each hash."""
        try:
            data = self._path.read_bytes()
        except OSError:
            raise TombstonesUnusableError(f"CROUTER_TOMBSTONES: {self._path} cannot be read") from None
        if not data.startswith(HEADER):
            raise TombstonesUnusableError(f"CROUTER_TOMBSTONES: {self._path} is no file of tombstones")
        found: dict[bytes, Tombstone] = {}
        lines = data[len(HEADER) :].split(b"\n")
        for line in lines[:-1]:
            tombstone = _parsed(line)
            if tombstone is not None:
                found[tombstone.digest] = tombstone
        return found

    @contextmanager
    def _opened(self, flags: int) -> Iterator[int]:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield file
            finally:
                os.close(file)
        except OSError as error:
            raise TombstonesUnusableError(
                f"CROUTER_TOMBSTONES: {self._path} cannot be written ({os.strerror(error.errno or 0)})"
            ) from None


def _text(account: uuid.UUID) -> str:
    # No other hash of the same id, made for something else, is the same.
    return f"crouter tombstone {account}"


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
    os.fsync(file)


def _parsed(line: bytes) -> Tombstone | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    try:
        asked_at = None if match[3] == b"-" else datetime.fromisoformat(match[3].decode())
    except ValueError:
        return None
    return Tombstone(bytes.fromhex(match[2].decode()), asked_at)
