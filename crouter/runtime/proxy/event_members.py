"""What is decoded of an answer of the Messages API: the few members that matter, and no other.

Apart from `events`, because that module may be compiled, and a Struct is made by the interpreter.
"""

from typing import Any, Final

import msgspec

UNDECODABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What decoding raises for bytes that are not what they should be."""

# What JSON says holds no circles: the collector need not look at any of it.


class Usage(msgspec.Struct, gc=False):
    model: Any = None
    usage: Any = None
    stop_reason: Any = None
    content: msgspec.Raw = msgspec.Raw(b"")


class Error(msgspec.Struct, gc=False):
    type: Any = None


class Delta(msgspec.Struct, gc=False):
    stop_reason: Any = None


class Event(msgspec.Struct, gc=False):
    type: Any = None
    message: Usage | None = None
    delta: Delta | None = None
    usage: Any = None
    error: Error | None = None


class Type(msgspec.Struct, gc=False):
    type: Any = None


decode_event = msgspec.json.Decoder(Event).decode
decode_type = msgspec.json.Decoder(Type).decode
decode_message = msgspec.json.Decoder(Usage).decode
