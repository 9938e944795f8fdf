"""JSON as receipts are read: one object, no name twice, nothing that is no JSON. Writing needs no care."""

import json
from typing import Any, NoReturn

from crouter.runtime.receipts.errors import ReceiptRefusedError


def read_object(text: bytes, what: str) -> dict[str, Any]:
    """The object that a text holds. Raises ReceiptRefusedError, which names `what`, for everything else."""
    try:
        value = json.loads(text.decode(), object_pairs_hook=_members, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ReceiptRefusedError(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise ReceiptRefusedError(f"{what} is no JSON object")
    return value


def compact(value: Any) -> bytes:
    """A value as the shortest ASCII text."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    # Two readers of one text must not see two values.
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError("a number is none")
