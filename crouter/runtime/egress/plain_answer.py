"""Reads the head of an answer, if it is of the one plain form that needs no parser. Does no I/O.

Plain is what no two readers can understand differently (RFC 9112): HTTP/1.1, lines that end in CRLF, names that are
tokens, values of visible ASCII, one length in digits or the one coding `chunked`, and nothing else about framing or the
connection. Whatever is not plain is left to the parser. So is what comes behind a plain head, unless it is the whole of
a body of plain length.
"""

import re
from typing import Final

from crouter.runtime.egress.plain_field import are_plain, is_length, is_token
from crouter.runtime.egress.request_head import Headers

_HEAD_BYTES_MAX: Final = 16 * 1024
_OK: Final = "HTTP/1.1 200 OK"
_STATUS = re.compile(r"HTTP/1\.1 (2(?!04)[0-9][0-9]|[45][0-9][0-9]) [ -~]*")
_ORDINARY, _LENGTH_IS, _CODING_IS, _CONNECTION_IS, _NOT_PLAIN, _UNKNOWN = range(6)
_MEANING: Final = {
    "content-length": _LENGTH_IS,
    "connection": _CONNECTION_IS,
    "transfer-encoding": _CODING_IS,
    "upgrade": _NOT_PLAIN,
    "trailer": _NOT_PLAIN,
}
# What the upstream sends with nearly every answer.
_USUAL: Final = (
    *_MEANING,
    "cache-control",
    "cf-cache-status",
    "cf-ray",
    "content-encoding",
    "content-security-policy",
    "content-type",
    "date",
    "request-id",
    "server",
    "strict-transport-security",
    "vary",
    "via",
    "x-envoy-upstream-service-time",
    "x-robots-tag",
    "anthropic-organization-id",
    *(
        f"anthropic-ratelimit-{of}-{figure}"
        for of in ("requests", "tokens", "input-tokens", "output-tokens")
        for figure in ("limit", "remaining", "reset")
    ),
)
_KNOWN: Final = {spelt: _MEANING.get(name, _ORDINARY) for name in _USUAL for spelt in (name, name.title())}

_ABSENT, _REFUSED, CHUNKED = -1, -2, -3
_CODING: Final = "chunked"


class PlainHead:
    """A head that was read. `start` is where the body begins; `length` that of the body in bytes, or `CHUNKED`."""

    __slots__ = ("headers", "length", "start", "status")

    def __init__(self, status: int, headers: Headers, start: int, length: int) -> None:
        self.status = status
        self.headers = headers
        self.start = start
        self.length = length

    def is_whole(self, data: bytes) -> bool:
        """Whether `data` is this answer and nothing else."""
        return len(data) == self.start + self.length

    def framing(self) -> bytes:
        """As little of a head as a parser needs for the body."""
        how = b"transfer-encoding: chunked" if self.length == CHUNKED else b"content-length: %d" % self.length
        return b"HTTP/1.1 %d -\r\n%b\r\n\r\n" % (self.status, how)


def plain_head(data: bytes) -> PlainHead | None:
    """The head of an answer that begins `data`; None if it is not plain, or not whole."""
    end = data.find(b"\r\n\r\n", 0, _HEAD_BYTES_MAX)
    if end < 0:
        return None
    head = data[: end + 2]
    lines = head.decode("latin-1").split("\r\n")
    status = _status(lines[0])
    if status < 0 or not are_plain(head, len(lines) - 1):
        return None
    headers: list[tuple[str, str]] = []
    length = _take(lines, headers)
    return None if length in (_ABSENT, _REFUSED) else PlainHead(status, tuple(headers), end + 4, length)


def _take(lines: list[str], headers: list[tuple[str, str]]) -> int:
    """Reads the headers, and gives the length that they tell."""
    length = _ABSENT
    for i in range(1, len(lines) - 1):
        line = lines[i]
        colon = line.find(":")
        name, value = line[:colon], line[colon + 1 :].lstrip(" \t")
        meaning = _KNOWN.get(name, _UNKNOWN)
        if meaning == _UNKNOWN:
            meaning = _MEANING.get(name.lower(), _ORDINARY) if is_token(name) else _NOT_PLAIN
        if meaning != _ORDINARY:
            length = _framed(meaning, value, length)
        if length == _REFUSED or colon < 0 or value.endswith(" "):
            return _REFUSED
        headers.append((name, value))
    return length


def _framed(meaning: int, value: str, length: int) -> int:
    """What is known of the length after a header that says something about framing or the connection."""
    if meaning == _CONNECTION_IS:
        return length if value.lower() == "keep-alive" else _REFUSED
    # Two of them are two, also where they are equal.
    if length != _ABSENT:
        return _REFUSED
    if meaning == _LENGTH_IS and is_length(value):
        return int(value)
    return CHUNKED if meaning == _CODING_IS and value.lower() == _CODING else _REFUSED


def _status(line: str) -> int:
    """The status of an answer that has a body; -1 if the line is not of that form."""
    if line == _OK:
        return 200
    match = _STATUS.fullmatch(line)
    return -1 if match is None else int(match[1])
