"""Header lines that no two readers can understand differently (RFC 9110 5.5, 5.6.2). Does no I/O."""

import re
from typing import Final

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BLANKS: Final = (" ", "\t")


def is_token(name: str) -> bool:
    """Whether a text can be the name of a header."""
    return _TOKEN.fullmatch(name) is not None


def is_plain_value(value: str) -> bool:
    """Whether an ASCII text without blanks before it is a value of visible characters, with blanks only between them.

    Some readers keep blanks at the end, and some do not.
    """
    return (value.isprintable() or value.replace("\t", " ").isprintable()) and not value.endswith(_BLANKS)


def is_length(value: str) -> bool:
    """Whether an ASCII text is a length in at most ten digits; of those characters no others are digits."""
    return value.isdigit() and len(value) <= 10
