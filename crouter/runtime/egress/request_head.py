"""Writes the head of a request as bytes, and refuses one that could be read as two. Does no I/O."""

from typing import Final

from crouter.runtime.egress.errors import EgressRefusedError

Headers = tuple[tuple[str, str], ...]


class HeaderLines:
    """Headers as the text that is sent: `count` lines, each with a name, a value and its end. None is about framing."""

    __slots__ = ("count", "text")

    def __init__(self, text: str, count: int) -> None:
        self.text = text
        self.count = count

    def with_header(self, name: str, value: str) -> "HeaderLines":
        """One more at the end."""
        return HeaderLines(f"{self.text}{name}: {value}\r\n", self.count + 1)


# RFC 9110 8.6: a request whose method gives content a meaning says so when it has none.
_WITHOUT_CONTENT: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_FRAMING: Final = ("\r\nhost:", "\r\ncontent-length:", "\r\ntransfer-encoding:")


def request_head(
    method: str, target: str, authority: str, headers: Headers | HeaderLines, body_bytes: int | None
) -> bytes:
    """The head with `host` and `content-length` of its own. `target` is a raw path with its query.

    Values may hold bytes that are no UTF-8, as surrogate escapes; they leave as they came.
    Raises EgressRefusedError when a line break, a space in the target or such is part of a value.
    """
    assert target.startswith("/"), "the origin is a constant; only the path is given"
    if body_bytes is None and method not in _WITHOUT_CONTENT:
        body_bytes = 0
    length = "" if body_bytes is None else f"content-length: {body_bytes}\r\n"
    if isinstance(headers, HeaderLines):
        lines, count = headers.text, headers.count
    else:
        lines, count = "".join([f"{name}: {value}\r\n" for name, value in headers]), len(headers)
        lowered = f"\r\n{lines}".lower()
        assert not any(name in lowered for name in _FRAMING), "framing is set here only"
    first = f"{method} {target} HTTP/1.1\r\n"
    text = f"{first}host: {authority}\r\n{length}{lines}\r\n"
    breaks = count + (3 if body_bytes is None else 4)
    if text.count("\n") != breaks or text.count("\r") != breaks or "\0" in text or first.count(" ") != 2:
        raise EgressRefusedError("a request that could be read as another one")
    return text.encode("utf-8", "surrogateescape")
