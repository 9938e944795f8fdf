"""Reads the head of a request, if it is of the one plain form that is served without aiohttp. Does no I/O.

Plain is what no two readers can understand differently (RFC 9112): `POST`, a declared path, HTTP/1.1; lines that end
in CRLF, names that are tokens, values of visible ASCII; one host, one length in digits, nothing about framing,
transfer or the connection beside them. Whatever is not plain is not judged here: aiohttp's parser does that.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from crouter.runtime.edge_signature import EDGE_HEADER

HEAD_BYTES_MAX: Final = 16 * 1024
HEAD_END: Final = b"\r\n\r\n"
_HEADERS_MAX: Final = 100

_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# Every line feed of a head has to end exactly one such line, so nothing can stand between two of them.
_LINE = re.compile(rf"^({_NAME}):[ \t]*((?:[!-~](?:[ \t!-~]*[!-~])?)?)[ \t]*\r\n", re.MULTILINE)
_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")
_LENGTH = re.compile(r"[0-9]{1,10}")
_REQUEST_LINE = re.compile(rb"[A-Z]{1,20} [!-~]+ HTTP/1\.[01]\r\n")

# What changes how a message is framed, sent or answered; or would be read differently if it came twice.
_NOT_PLAIN: Final = frozenset(
    {
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "content-encoding",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
    }
)
_ONCE: Final = frozenset(
    {"host", "content-length", "content-type", "connection", "x-api-key", "authorization", EDGE_HEADER}
)
_NEEDED: Final = frozenset({"host", "content-length"})
_JUDGED: Final = _NOT_PLAIN | _ONCE


class PlainHead:
    """A head that was read. `headers` are all of them, as they came; `edge` is the edge's signature."""

    __slots__ = ("body_bytes", "edge", "headers", "path", "target")

    def __init__(
        self, target: str, path: str, headers: Sequence[tuple[str, str]], body_bytes: int, edge: str | None
    ) -> None:
        self.target = target
        self.path = path
        self.headers = headers
        self.body_bytes = body_bytes
        self.edge = edge


class HeadReader:
    """Reads heads of requests to the given paths, which are plain text without placeholders."""

    __slots__ = ("_line",)

    def __init__(self, paths: Iterable[str]) -> None:
        alternatives = "|".join(re.escape(path) for path in paths)
        self._line = re.compile(rf"POST (({alternatives})(?:\?[A-Za-z0-9=&_.~%-]{{0,512}})?) HTTP/1\.1\r\n")

    def read(self, data: bytes, end: int) -> PlainHead | None:
        """The head of `data`, whose empty line starts at `end`; None if it is not plain."""
        if end > HEAD_BYTES_MAX:
            return None
        text = data[: end + 2].decode("latin-1")
        start = self._line.match(text)
        if start is None:
            return None
        headers = _LINE.findall(text, start.end())
        if len(headers) != text.count("\n") - 1 or len(headers) > _HEADERS_MAX:
            return None
        values = _judged(headers)
        if values is None:
            return None
        return PlainHead(start[1], start[2], headers, int(values["content-length"]), values.get(EDGE_HEADER))


def _judged(headers: Sequence[tuple[str, str]]) -> dict[str, str] | None:
    """The values of the headers that decide whether a head is plain; None if it is not."""
    names = [name.lower() for name, _ in headers]
    judged = _JUDGED.intersection(names)
    if not judged >= _NEEDED or judged & _NOT_PLAIN:
        return None
    values: dict[str, str] = {}
    for name, (_, value) in zip(names, headers, strict=True):
        if name in judged:
            if name in values:
                return None
            values[name] = value
    is_plain = (
        _LENGTH.fullmatch(values["content-length"])
        and _HOST.fullmatch(values["host"])
        and values.get("connection", "keep-alive").lower() == "keep-alive"
    )
    return values if is_plain else None


def may_become_plain(data: bytes) -> bool:
    """Whether more bytes could make a plain head of these, in which no CRLF CRLF has been found.

    What is complete by any laxer reading, too long, or begins as nothing that we would serve is not waited for.
    """
    if len(data) > HEAD_BYTES_MAX or b"\n\n" in data or b"\n\r\n" in data:
        return False
    line_end = data.find(b"\n")
    if line_end >= 0:
        return _REQUEST_LINE.fullmatch(data, 0, line_end + 1) is not None
    return b"A" <= data[:1] <= b"Z"
