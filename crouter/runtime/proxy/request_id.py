"""Request ids of ours: random, of fixed form, telling nothing about when or for whom they were made."""

import secrets

_PREFIX = "req_"
_ENTROPY_BYTES = 16
REQUEST_ID_CHARS = len(_PREFIX) + 2 * _ENTROPY_BYTES


def new_request_id() -> str:
    """`req_` and 128 random bits in hexadecimal."""
    return _PREFIX + secrets.token_hex(_ENTROPY_BYTES)
