"""Request ids of ours: random, of fixed form, telling nothing about when or for whom they were made.

A request's usage record has the same 128 bits as its id, so that whoever was told the id can name the record.
"""

import os
import re
import secrets
import uuid
from typing import Final

import msgspec


class _Entropy:
    """Random bits, asked of the system for many ids at a time; each is given once."""

    def __init__(self) -> None:
        self._unused: list[str] = []
        self._process = 0

    def next(self) -> str:
        # A forked process must not go on with the parent's bits.
        if not self._unused or self._process != os.getpid():
            self._process = os.getpid()
            bits = secrets.token_hex(_ENTROPY_BYTES * _IDS_AT_ONCE)
            self._unused = [bits[at : at + 2 * _ENTROPY_BYTES] for at in range(0, len(bits), 2 * _ENTROPY_BYTES)]
        return self._unused.pop()


_PREFIX = "req_"
_ENTROPY_BYTES = 16
_IDS_AT_ONCE = 64
_entropy = _Entropy()
REQUEST_ID_CHARS = len(_PREFIX) + 2 * _ENTROPY_BYTES
RECORDS_MAX: Final = 99
# Every answer has an id to be read: the constructor of `uuid.UUID` takes ten times as long.
_decode_id: Final = msgspec.json.Decoder(uuid.UUID).decode
_RECORD_NAME: Final = re.compile(rf"({_PREFIX}[0-9a-f]{{{2 * _ENTROPY_BYTES}}})(?:\.([1-9][0-9]?))?", re.ASCII)


def new_request_id() -> str:
    """`req_` and 128 random bits in hexadecimal."""
    return _PREFIX + _entropy.next()


def record_id(request_id: str, earlier: int = 0) -> uuid.UUID:
    """The id of the usage record of one of our requests.

    `earlier` is how many records the same request has left already, 0 to 99: an attempt that was repeated and had
    reported usage has a record of its own, with an id that follows from the request's.
    """
    assert 0 <= earlier <= RECORDS_MAX
    first = _decode_id(f'"{request_id.removeprefix(_PREFIX)}"')
    return uuid.uuid5(first, str(earlier)) if earlier else first


def named_record(name: str) -> uuid.UUID | None:
    """The id of the record that a client names: `req_…`, or `req_….1` for the one after it; None for other text."""
    match = _RECORD_NAME.fullmatch(name)
    return record_id(match[1], int(match[2] or 0)) if match else None
