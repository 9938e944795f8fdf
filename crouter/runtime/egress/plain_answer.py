"""Reads an answer that came whole in one piece, if it is of the one plain form that needs no parser. Does no I/O.

Plain is what no two readers can understand differently (RFC 9112): HTTP/1.1, lines that end in CRLF, names that are
tokens, values of visible ASCII, one length in digits that is exactly what follows, and nothing else about framing or
the connection. Whatever is not plain is left to the parser.
"""

import re
from typing import Final

from crouter.runtime.egress.plain_field import are_plain, is_length, is_token
from crouter.runtime.egress.request_head import Headers

_HEAD_BYTES_MAX: Final = 16 * 1024
_OK: Final = "HTTP/1.1 200 OK"
_STATUS = re.compile(r"HTTP/1\.1 (2(?!04)[0-9][0-9]|[45][0-9][0-9]) [ -~]*")
_ORDINARY, _LENGTH_IS, _CONNECTION_IS, _NOT_PLAIN, _UNKNOWN = range(5)
_MEANING: Final = {
    "content-length": _LENGTH_IS,
    "connection": _CONNECTION_IS,
    "transfer-encoding": _NOT_PLAIN,
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

PlainAnswer = tuple[int, Headers, bytes]


def plain_answer(data: bytes) -> PlainAnswer | None:
    """Status, headers and body of an answer that is `data` and nothing else; None if that is not plain to see."""
    end = data.find(b"\r\n\r\n", 0, _HEAD_BYTES_MAX)
    if end < 0:
        return None
    head = data[: end + 2]
    lines = head.decode("latin-1").split("\r\n")
    status = _status(lines[0])
    headers: list[tuple[str, str]] = []
    length = _take(lines, headers) if status >= 0 and are_plain(head, len(lines) - 1) else -1
    if length < 0 or len(data) != end + 4 + length:
        return None
    return status, tuple(headers), data[end + 4 :]


def _take(lines: list[str], headers: list[tuple[str, str]]) -> int:
    """Reads the headers, and gives the length that they tell; -1 where they are not plain."""
    length = -1
    for i in range(1, len(lines) - 1):
        line = lines[i]
        colon = line.find(":")
        name, value = line[:colon], line[colon + 1 :].lstrip(" \t")
        meaning = _KNOWN.get(name, _UNKNOWN)
        if meaning == _UNKNOWN:
            meaning = _MEANING.get(name.lower(), _ORDINARY) if is_token(name) else _NOT_PLAIN
        if meaning == _CONNECTION_IS and value.lower() != "keep-alive":
            meaning = _NOT_PLAIN
        if meaning == _NOT_PLAIN or colon < 0 or value.endswith(" "):
            return -1
        if meaning == _LENGTH_IS:
            # Two lengths are two, also where they are equal.
            if length >= 0 or not is_length(value):
                return -1
            length = int(value)
        headers.append((name, value))
    return length


def _status(line: str) -> int:
    """The status of an answer that has a body; -1 if the line is not of that form."""
    if line == _OK:
        return 200
    match = _STATUS.fullmatch(line)
    return -1 if match is None else int(match[1])
