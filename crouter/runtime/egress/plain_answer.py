"""Reads an answer that came whole in one piece, if it is of the one plain form that needs no parser. Does no I/O.

Plain is what no two readers can understand differently (RFC 9112): HTTP/1.1, lines that end in CRLF, names that are
tokens, values of visible ASCII, one length in digits that is exactly what follows, and nothing else about framing or
the connection. Whatever is not plain is left to the parser.
"""

import re
from typing import Final

from crouter.runtime.egress.request_head import Headers

_HEAD_BYTES_MAX: Final = 16 * 1024
_STATUS = re.compile(r"HTTP/1\.1 (2(?!04)[0-9][0-9]|[45][0-9][0-9]) [ -~]*\r\n")
_LINE = re.compile(r"^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[!-~](?:[ \t!-~]*[!-~])?)?)[ \t]*\r\n", re.MULTILINE)
# A length that is no number is no match, and an answer without one match is not plain. Two of them are two.
_LENGTH = re.compile(r"^content-length:[ \t]*([0-9]{1,10})\r$", re.MULTILINE | re.IGNORECASE)
_UNUSUAL = re.compile(
    r"^(?:(?!connection:[ \t]*keep-alive[ \t]*\r$)connection|transfer-encoding|upgrade|trailer):",
    re.MULTILINE | re.IGNORECASE,
)

PlainAnswer = tuple[int, Headers, bytes]


def plain_answer(data: bytes) -> PlainAnswer | None:
    """Status, headers and body of an answer that is `data` and nothing else; None if that is not plain to see."""
    end = data.find(b"\r\n\r\n", 0, _HEAD_BYTES_MAX)
    if end < 0:
        return None
    text = data[: end + 2].decode("latin-1")
    start = _STATUS.match(text)
    if start is None or _UNUSUAL.search(text) is not None:
        return None
    headers = _LINE.findall(text, start.end())
    if len(headers) != text.count("\n") - 1:
        return None
    lengths = _LENGTH.findall(text)
    if len(lengths) != 1 or len(data) != end + 4 + int(lengths[0]):
        return None
    return int(start[1]), tuple(headers), data[end + 4 :]
