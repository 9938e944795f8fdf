"""Header lines that no two readers can understand differently (RFC 9110 5.5, 5.6.2). Does no I/O."""

import re
from typing import Final

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VISIBLE: Final = bytes((0x09, *range(0x20, 0x7F)))
_END: Final = b"\r\n"
_BLANK_BEHIND = re.compile(rb":[ \t]*[^ \t\r][^\r]*[ \t]\r\n")


def is_token(name: str) -> bool:
    """Whether a text can be the name of a header."""
    return _TOKEN.fullmatch(name) is not None


def are_plain(lines: bytes, count: int) -> bool:
    """Whether so many lines, each with CRLF at its end, hold visible ASCII and blanks only, and no value with a tab in
    it has a blank behind it. Of others that is asked of each value.

    Some readers keep blanks behind a value, and some do not. Nobody makes anything but nothing of blanks alone.
    """
    if lines.translate(None, _VISIBLE) != _END * count:
        return False
    return b"\t" not in lines or not _BLANK_BEHIND.search(lines)


def is_length(value: str) -> bool:
    """Whether an ASCII text is a length in at most ten digits; of those characters no others are digits."""
    return value.isdigit() and len(value) <= 10
