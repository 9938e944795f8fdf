"""Reads JSON objects strictly: each key given once, values left as the bytes they came in. Does no I/O.

Decoding keeps the last of two equal keys, and another reader may keep the first; what we judge would then not be what
the upstream runs. What the values mean is for the readers of each request.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from crouter.runtime.proxy.repeated_keys import accounts_for_all, accounts_for_each

ITEMS_MAX: Final = 10_000
# Up to here all objects of a list are decoded before they are counted, since the smallest take some forty times their
# bytes.
_TOGETHER_BYTES_MAX: Final = 2**20

_WHITESPACE = re.compile(rb"[ \t\n\r]*")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)

Members: TypeAlias = dict[str, msgspec.Raw]
_decode_members = msgspec.json.Decoder(Members).decode
_decode_objects = msgspec.json.Decoder(list[Members]).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_key = msgspec.json.Decoder(str).decode
_decode_any = msgspec.json.Decoder(Any).decode
UNDECODABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


class Refusal(Exception):  # noqa: N818 - it carries a decision to the one who asked for it
    """Leaves the nested checks of one body; caught by the reader of that body only. Its text repeats nothing of it."""


def object_members(source: bytes, place: str) -> Members:
    """The members of a JSON object, each given once. Raises Refusal, which names `place`.

    The object is walked once: every member has to stand where the walk is, as the value that decoding kept. Nested
    values are stepped over whole; no more than a comparison of the bytes is spent on them.
    """
    try:
        members = _decode_members(source)
    except msgspec.ValidationError:
        raise Refusal(f"{place} must be a JSON object") from None
    except UNDECODABLE:
        raise Refusal(f"{place} is not valid JSON, or nested too deeply") from None
    if not accounts_for_all(source, members) and _keys_repeat(source, members):
        raise Refusal(f"{place} gives a key twice")
    return members


def value_of(members: Members, key: str) -> Any:
    """The decoded value of one member, None where it is absent. Raises Refusal."""
    raw = members.get(key)
    if raw is None:
        return None
    try:
        return _decode_any(raw)
    except UNDECODABLE:
        raise Refusal(f"{key}: not valid JSON") from None


def items_of(members: Members, key: str, items_max: int = ITEMS_MAX) -> list[msgspec.Raw]:
    """The entries of a list, undecoded; none where it is absent or null. Raises Refusal."""
    raw = members.get(key)
    if raw is None or bytes(memoryview(raw)[:4]) == b"null":
        return []
    try:
        items = _decode_list(raw)
    except UNDECODABLE:
        raise Refusal(f"{key}: must be a list") from None
    if len(items) > items_max:
        raise Refusal(f"{key}: more than {items_max} entries")
    return items


def objects_of(members: Members, key: str, place: str) -> Iterable[Members]:
    """The entries of a list of objects, each with every key given once. Raises Refusal, also when it is gone through.

    `place` is what refusals name an entry by.
    """
    raw = members.get(key)
    if raw is None:
        return ()
    objects: list[Members] = []
    if len(raw) <= _TOGETHER_BYTES_MAX:
        try:
            objects = _decode_objects(raw)
        except UNDECODABLE:
            objects = []
    if 0 < len(objects) <= ITEMS_MAX and accounts_for_each(len(raw), objects):
        return objects
    return _one_by_one(items_of(members, key), place)


def _one_by_one(entries: list[msgspec.Raw], place: str) -> Iterator[Members]:
    for entry in entries:
        yield object_members(bytes(entry), place)


def first_byte(raw: msgspec.Raw) -> int:
    """The first byte of a value, 0 where it is empty."""
    source = memoryview(raw)
    return source[0] if source else 0


def object_source(members: Members) -> bytes:
    """A JSON object of these members, their values byte for byte as they came."""
    return b"{" + b",".join(msgspec.json.encode(key) + b":" + bytes(raw) for key, raw in members.items()) + b"}"


def _keys_repeat(source: bytes, members: Members) -> bool:
    # The source has just been decoded, so that every match below succeeds on well-formed JSON.
    position = _after_whitespace(source, 0) + 1
    for _ in range(len(members)):
        position = _after_whitespace(source, position)
        key = _STRING.match(source, position)
        assert key is not None, "a decoded object has another key here"
        value = bytes(members[_decode_key(key.group())])
        position = _after_whitespace(source, key.end())
        position = _after_whitespace(source, position + 1)
        if not source.startswith(value, position):
            return True
        position = _after_whitespace(source, position + len(value)) + 1
        # A number may begin like another one; what follows tells them apart.
        if source[position - 1] not in b",}":
            return True
    # After as many members as there are different keys, the object has to be over.
    return bool(members) and source[position - 1] != ord("}")


def _after_whitespace(source: bytes, position: int) -> int:
    match = _WHITESPACE.match(source, position)
    assert match is not None, "the pattern matches nothing, too"
    return match.end()
