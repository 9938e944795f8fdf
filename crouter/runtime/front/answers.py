"""Writes heads of answers as bytes, in the form that aiohttp gives them. Does no I/O.

Both ways through the service give the same bytes, but for the date and the request id.
"""

from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from crouter.runtime.proxy.headers import Headers, Returned

_STATUS_LINES: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
# RFC 9110 6.4.1: these have no body, whatever their headers say.
_WITHOUT_BODY: Final = frozenset({204, 304})


class Dates:
    """The `date` header of this second."""

    __slots__ = ("_second", "_text")

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def at(self, seconds: float) -> str:
        """The line of a date, for seconds since 1970."""
        second = int(seconds)
        if second != self._second:
            self._second = second
            self._text = f"Date: {formatdate(second, usegmt=True)}\r\n"
        return self._text


def answer_head(status: int, returned: Returned, date: Callable[[], str]) -> tuple[bytes, bool]:
    """The head of a relayed answer, and whether its body is sent in chunks. `date` gives a whole line, if it lacks."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in returned.headers])
    is_sized = returned.content_length is not None or status in _WITHOUT_BODY
    framing = "" if is_sized else "Transfer-Encoding: chunked\r\n"
    dated = "" if returned.date is not None else date()
    head = f"{_status_line(status)}{fields}{framing}{dated}\r\n"
    return head.encode("utf-8", "surrogateescape"), not is_sized


def whole_answer(status: int, headers: Headers, body: bytes, date: str) -> bytes:
    """A complete answer of our own."""
    fields = "".join([f"{name}: {value}\r\n" for name, value in headers])
    head = f"{_status_line(status)}{fields}Content-Length: {len(body)}\r\n{date}\r\n"
    return head.encode("ascii") + body


def _status_line(status: int) -> str:
    return _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"
