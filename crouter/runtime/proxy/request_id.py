"""Request ids of ours: random, of fixed form, telling nothing about when or for whom they were made."""

import os
import secrets


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
REQUEST_ID_PREFIX_CHARS = len(_PREFIX)
REQUEST_ID_CHARS = len(_PREFIX) + 2 * _ENTROPY_BYTES


def new_request_id() -> str:
    """`req_` and 128 random bits in hexadecimal."""
    return _PREFIX + _entropy.next()
