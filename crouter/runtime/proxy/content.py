"""Tells in one look what `system` and `messages` of a body bear on its cost, where all that they hold is usual.

What holds usual members only names no file, so that the same look answers for `shared_state`. Of anything else nothing
is said: that is searched, and decoded with whatever it has. Does no I/O.
"""

import re
from typing import Final

import msgspec

from crouter.runtime.proxy.body_members import ABSENT, UsualBlock, decode_usual_messages, decode_usual_system
from crouter.runtime.proxy.cost_factors import CostFactors
from crouter.runtime.proxy.members import UNDECODABLE, Members

# JSON may write a letter as its code point, `\u0066ile_id`; no encoder does that to the letters of this word.
_WRITTEN_OUT: Final = re.compile(rb"\\u00(?:5[fF]|6[4569cC])")
# How messages begin whose content is a text, as client libraries write them.
_OPENINGS: Final = (
    b'{"role":"user","content":"',
    b'{"role": "user", "content": "',
    b'{"role":"assistant","content":"',
    b'{"role": "assistant", "content": "',
    b'{"role":"system","content":"',
    b'{"role": "system", "content": "',
)
# So many quotes are looked at, and one more for so many bytes of messages: of a text with more of them the end is found
# sooner by decoding it.
_QUOTES_MAX: Final = 8
_BYTES_PER_QUOTE: Final = 1024
# What is decoded at all: the smallest blocks take some sixty times their bytes.
_DECODED_BYTES_MAX: Final = 4 * 2**20
# Blocks that have an input, which the upstream does not read itself.
_CALLS: Final = ("tool_use", "server_tool_use")
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_CLOSING: Final = ord("}")
_BLANK: Final = ord(" ")


def usual_factors(members: Members) -> CostFactors | None:
    """What `system` and `messages` bear on the cost if they plainly name no file; None says nothing of either."""
    factors = CostFactors()
    inputs: list[msgspec.Raw] = []
    try:
        is_usual = _add_system(factors, inputs, members.get("system"))
        is_usual = is_usual and _add_messages(factors, inputs, members.get("messages"))
    except UNDECODABLE:
        return None
    # A line's end stands within no text of JSON, so that no word comes about where two inputs meet.
    if not is_usual or (inputs and may_name_a_file(b"\n".join(inputs))):
        return None
    return factors


def may_name_a_file(source: bytes) -> bool:
    """Whether the word `file_id` stands in JSON as a text of its own, be it as a key or as a value."""
    return b'"file_id"' in source or (b"\\u00" in source and _WRITTEN_OUT.search(source) is not None)


def _add_system(factors: CostFactors, inputs: list[msgspec.Raw], raw: msgspec.Raw | None) -> bool:
    if raw is None:
        return True
    source = bytes(raw)
    if source[0] == _QUOTE and source.isascii():
        return True
    if len(source) > _DECODED_BYTES_MAX:
        return False
    system = decode_usual_system(source)
    return not isinstance(system, list) or _add_blocks(factors, inputs, system)


def _add_messages(factors: CostFactors, inputs: list[msgspec.Raw], raw: msgspec.Raw | None) -> bool:
    if raw is None:
        return True
    source = bytes(raw)
    if _are_texts(source):
        return True
    if len(source) > _DECODED_BYTES_MAX:
        return False
    for message in decode_usual_messages(source):
        content = message.content
        if isinstance(content, list) and not _add_blocks(factors, inputs, content):
            return False
    return True


def _add_blocks(factors: CostFactors, inputs: list[msgspec.Raw], blocks: list[UsualBlock]) -> bool:
    """Adds blocks, and their inputs to the list; False if only a call of a tool should have the input that one has."""
    for block in blocks:
        given = block.input
        if given is not ABSENT:
            if block.type not in _CALLS:
                return False
            inputs.append(given)
        factors.add_part(block)
        content = block.content
        if isinstance(content, list) and not _add_blocks(factors, inputs, content):
            return False
    return True


def _are_texts(messages: bytes) -> bool:
    """Whether these messages, a value of valid JSON, each are a text of ASCII and nothing else."""
    quotes = _QUOTES_MAX + len(messages) // _BYTES_PER_QUOTE
    position = 1
    while (start := _text_begins(messages, position)) > 0:
        end = messages.find(b'"', start)
        while _is_escaped(messages, end):
            quotes -= 1
            if quotes < 0:
                return False
            end = messages.find(b'"', end + 1)
        quotes -= 1
        if quotes < 0 or messages[end + 1] != _CLOSING:
            return False
        # After the last message comes the end of the list; after any other one, a comma and perhaps a blank.
        position = end + 3
        if position == len(messages):
            return messages.isascii()
        if messages[position] == _BLANK:
            position += 1
    return False


def _text_begins(messages: bytes, position: int) -> int:
    """Where the text of the message at `position` begins; 0 if it is none of the usual form."""
    for opening in _OPENINGS:
        begins = position + len(opening)
        if messages[position:begins] == opening:
            return begins
    return 0


def _is_escaped(source: bytes, quote: int) -> bool:
    """Whether the quote is part of a text of JSON: an odd number of backslashes stands before it."""
    before = quote
    while source[before - 1] == _BACKSLASH:
        before -= 1
    return (quote - before) % 2 == 1
