"""Whether a JSON object that was decoded can have given a key twice, answered cheaply for how programs write JSON.

A decoder keeps the last of two equal keys. If the members that were kept account for every byte of the object, or for
all but so few that no other member can stand in them, no key was given twice. Two spellings are known: without blanks,
as JavaScript and the client libraries write, and with one after each comma and colon, as Python does. Of any other,
nothing is said.
"""

from typing import Final, TypeAlias

import msgspec

_Members: TypeAlias = dict[str, msgspec.Raw]

# What stands in an object for each member beside its key and its value: `"":,`
_AROUND: Final = 4
# A member that was given before, and that the decoder has dropped: what stands around it, and a value of a digit.
_DROPPED_MIN: Final = _AROUND + 1
# No key is as long.
_ENDLESS: Final = 1 << 40


def accounts_for_all(source: bytes, members: _Members) -> bool:
    """True if no key can stand in `source` twice; False says nothing. `members` were decoded from it."""
    # No spelling of these members is shorter than {"key":value,"key":value}.
    spare = len(source) - 1
    shortest = _ENDLESS
    for key, value in members.items():
        chars = len(key)
        spare -= _AROUND + chars + len(value)
        if chars < shortest:
            shortest = chars
    return spare < _DROPPED_MIN + shortest or (spare == 2 * len(members) - 1 and _is_spaced(source, members))


def accounts_for_each(source_bytes: int, objects: list[_Members]) -> bool:
    """The same for each object of a list that was decoded from so many bytes."""
    spare = source_bytes - 1
    shortest = _ENDLESS
    for members in objects:
        # What stands around an object beside its members, with the comma after it: {},
        spare -= 2 if members else 3
        for key, value in members.items():
            chars = len(key)
            spare -= _AROUND + chars + len(value)
            if chars < shortest:
                shortest = chars
    return spare < _DROPPED_MIN + shortest


def _is_spaced(source: bytes, members: _Members) -> bool:
    position = 1
    for key, value in members.items():
        name = b'"' + key.encode() + b'": '
        if not source.startswith(name, position):
            return False
        position += len(name)
        if not source.startswith(value, position):
            return False
        position += len(value)
        # After the last one this is past the end, and the length was right.
        if not source.startswith(b", ", position) and position != len(source) - 1:
            return False
        position += 2
    return True
