"""Reads the body of a chat completion as strictly as that of a message. Does no I/O.

A stream tells what it used only if it is asked to. Where the client did not ask, the request that is forwarded does,
and the chunk that answers it is taken out again (`usage_chunk.py`).
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from crouter.runtime.proxy.members import Members, Refusal, object_members, object_source, value_of
from crouter.runtime.proxy.request import Accepted, Refused, accepted_in

_OPTIONS: Final = "stream_options"
_LIMITS: Final = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Completion:
    """A body that may go on. `body` is what is forwarded; `asks_usage` says that we added the wish to be told usage."""

    accepted: Accepted
    body: bytes
    asks_usage: bool


def read_completion(body: bytes) -> Completion | Refused:
    """Reads the body of `/v1/chat/completions`."""
    try:
        return _read(body)
    except Refusal as refusal:
        return Refused(str(refusal))


def _read(body: bytes) -> Completion:
    members = object_members(body, "the request body")
    choices = value_of(members, "n")
    if choices is not None and (type(choices) is not int or choices != 1):
        raise Refusal("n: must be 1")
    accepted = accepted_in(body, members, _LIMITS)
    if not accepted.stream:
        return Completion(accepted, body, asks_usage=False)
    options = _stream_options(members)
    include = value_of(options, "include_usage")
    if include is not None and not isinstance(include, bool):
        raise Refusal(f"{_OPTIONS}.include_usage: must be true or false")
    if include:
        return Completion(accepted, body, asks_usage=False)
    wished = object_source({**options, "include_usage": msgspec.Raw(b"true")})
    return Completion(accepted, object_source({**members, _OPTIONS: msgspec.Raw(wished)}), asks_usage=True)


def _stream_options(members: Members) -> Members:
    raw = members.get(_OPTIONS)
    if raw is None or bytes(raw) == b"null":
        return {}
    return object_members(bytes(raw), _OPTIONS)
