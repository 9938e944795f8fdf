"""Whether a JSON object that was decoded can have given a key twice, answered cheaply for how programs write JSON.

A decoder keeps the last of two equal keys. If the members that were kept account for every byte of the object,
nothing else can have stood in it. Two spellings are known: without blanks, as JavaScript and the client libraries
write, and with one after each comma and colon, as Python does. Of any other, nothing is said.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

# Up to here it is cheaper to write the object once more and compare than to walk along it.
_COPIED_BYTES_MAX: Final = 16 * 1024


def accounts_for_all(source: bytes, members: Mapping[str, msgspec.Raw]) -> bool:
    """True if no key can stand in `source` twice; False says nothing. `members` were decoded from it."""
    # {"key":value,"key":value}: no spelling of these members is shorter, so at this length there is no other one.
    count = len(members)
    shortest = 1 + 4 * count + sum(map(len, members)) + sum(map(len, members.values()))
    blanks = len(source) - shortest
    return blanks == 0 or (blanks == 2 * count - 1 and _is_spaced(source, members))


def _is_spaced(source: bytes, members: Mapping[str, msgspec.Raw]) -> bool:
    if len(source) <= _COPIED_BYTES_MAX:
        return source == b"{%b}" % b", ".join([b'"%b": %b' % (key.encode(), value) for key, value in members.items()])
    position = 1
    for key, value in members.items():
        name = b'"%b": ' % key.encode()
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
