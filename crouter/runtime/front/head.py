"""Reads the head of a request, if it is of the one plain form that is served without aiohttp. Does no I/O.

Plain is what no two readers can understand differently (RFC 9112): `POST`, a declared path, HTTP/1.1; lines that end
in CRLF, names that are tokens, values of visible ASCII; one host, one length in digits, nothing about framing,
transfer or the connection beside them. Whatever is not plain is not judged here: aiohttp's parser does that.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from crouter.runtime.edge_signature import EDGE_HEADER
from crouter.runtime.egress import HeaderLines
from crouter.runtime.egress.plain_field import are_plain, is_length, is_token
from crouter.runtime.proxy.content_coding import readable_accept_encoding
from crouter.runtime.proxy.headers import USUAL, RequestHeaders

HEAD_BYTES_MAX: Final = 16 * 1024
HEAD_END: Final = b"\r\n\r\n"
_HEADERS_MAX: Final = 100

_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")
_REQUEST_LINE = re.compile(rb"[A-Z]{1,20} [!-~]+ HTTP/1\.[01]\r\n")

# What to do with a header. The numbered ones decide something here, and have to come once.
_KEEP, _DROP, _NOT_PLAIN, _HOST_IS, _LENGTH_IS, _KEY_IS, _BEARER_IS, _EDGE_IS, _CODING_IS, _TYPE_IS, _CONNECTION_IS = (
    range(11)
)
_ACTIONS: Final = 11
_UNKNOWN: Final = -1
_USUAL_QUERIES: Final = ("", "?beta=true")
_ONCE: Final = {
    "host": _HOST_IS,
    "content-length": _LENGTH_IS,
    "x-api-key": _KEY_IS,
    "authorization": _BEARER_IS,
    EDGE_HEADER: _EDGE_IS,
    "accept-encoding": _CODING_IS,
    "content-type": _TYPE_IS,
    "connection": _CONNECTION_IS,
}
# What changes how a message is framed, sent or answered.
_UNUSUAL: Final = frozenset(
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


class PlainHead:
    """A head that was read. `lines` are the headers that may leave, as they leave; `presented` are those with keys."""

    __slots__ = ("body_bytes", "edge", "lines", "presented", "target")

    def __init__(
        self,
        target: str,
        lines: HeaderLines,
        body_bytes: int,
        presented: Sequence[tuple[str, str]],
        edge: str | None,
    ) -> None:
        self.target = target
        self.lines = lines
        self.body_bytes = body_bytes
        self.presented = presented
        self.edge = edge


class HeadReader:
    """Reads heads of requests to the given paths, which are plain text without placeholders.

    `chosen` decides which headers may leave.
    """

    __slots__ = ("_actions", "_chosen", "_line", "_usual")

    def __init__(self, paths: Iterable[str], chosen: RequestHeaders) -> None:
        paths = tuple(paths)
        # Of no paths at all, none is found.
        alternatives = "|".join(re.escape(path) for path in paths) or "(?!)"
        self._line = re.compile(rf"POST ((?:{alternatives})(?:\?[A-Za-z0-9=&_.~%-]{{0,512}})?) HTTP/1\.1")
        # What clients send nearly always: the line as it is, and its target.
        self._usual = {f"POST {path}{query} HTTP/1.1": f"{path}{query}" for path in paths for query in _USUAL_QUERIES}
        self._chosen = chosen
        # Decided once for names that we know ourselves; a name that a client made up is never remembered.
        self._actions = {spelt: self._action(name) for name in USUAL for spelt in (name, name.title())}

    def read(self, data: bytes, end: int) -> PlainHead | None:
        """The head of `data`, whose empty line starts at `end`; None if it is not plain."""
        if end > HEAD_BYTES_MAX:
            return None
        head = data[: end + 2]
        lines = head.decode("latin-1").split("\r\n")
        target = self._usual.get(lines[0]) or self._target(lines[0])
        if target is None or len(lines) > _HEADERS_MAX + 2 or not are_plain(head, len(lines) - 1):
            return None
        # By action; None where no such header came.
        once: list[str | None] = [None] * _ACTIONS
        kept: list[str] = []
        if not self._takes(lines, once, kept):
            return None
        return _judged(target, kept, once)

    def _takes(self, lines: list[str], once: list[str | None], kept: list[str]) -> bool:
        """Reads the headers; False where one is not plain."""
        actions = self._actions
        for i in range(1, len(lines) - 1):
            line = lines[i]
            colon = line.find(":")
            name, value = line[:colon], line[colon + 1 :].lstrip(" \t")
            action = actions.get(name, _UNKNOWN)
            if action == _UNKNOWN:
                action = self._action(name.lower()) if is_token(name) else _NOT_PLAIN
            if action == _NOT_PLAIN or colon < 0 or value.endswith(" "):
                return False
            if action > _NOT_PLAIN:
                if once[action] is not None:
                    return False
                once[action] = value
            if action in (_KEEP, _TYPE_IS):
                kept.append(f"{name}: {value}\r\n")
        return True

    def _target(self, line: str) -> str | None:
        match = self._line.fullmatch(line)
        return None if match is None else match[1]

    def _action(self, lower: str) -> int:
        action = _ONCE.get(lower)
        if action is not None:
            return action
        if lower in _UNUSUAL:
            return _NOT_PLAIN
        return _KEEP if self._chosen.passes(lower) else _DROP


def _judged(target: str, kept: list[str], once: list[str | None]) -> PlainHead | None:
    host, length, connection = once[_HOST_IS], once[_LENGTH_IS], once[_CONNECTION_IS]
    if host is None or length is None or _HOST.fullmatch(host) is None or not is_length(length):
        return None
    if connection is not None and connection.lower() != "keep-alive":
        return None
    kept.append(f"accept-encoding: {readable_accept_encoding(once[_CODING_IS])}\r\n")
    presented: list[tuple[str, str]] = []
    key, bearer = once[_KEY_IS], once[_BEARER_IS]
    if key is not None:
        presented.append(("x-api-key", key))
    if bearer is not None:
        presented.append(("authorization", bearer))
    return PlainHead(target, HeaderLines("".join(kept), len(kept)), int(length), presented, once[_EDGE_IS])


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
