"""Header lines that no two readers can understand differently (RFC 9110 5.5, 5.6.2). Does no I/O."""

import re

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BLANK_BEHIND = re.compile(r":[ \t]*[^ \t\r][^\r]*[ \t]\r\n")


def is_token(name: str) -> bool:
    """Whether a text can be the name of a header."""
    return _TOKEN.fullmatch(name) is not None


def are_plain(lines: str) -> bool:
    """Whether lines that each end in CRLF hold visible ASCII and blanks only, and no blanks at their ends.

    Some readers keep blanks at the end of a value, and some do not.
    """
    inside = lines.replace("\r\n", "")
    if not lines.isascii() or not (inside.isprintable() or inside.replace("\t", " ").isprintable()):
        return False
    # Nobody makes anything but nothing of a blank that is all there is.
    return not (" \r\n" in lines or "\t\r\n" in lines) or not _BLANK_BEHIND.search(lines)


def is_length(value: str) -> bool:
    """Whether an ASCII text is a length in at most ten digits; of those characters no others are digits."""
    return value.isdigit() and len(value) <= 10
