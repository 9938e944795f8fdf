"""Reads HTTP/1.1 answers from bytes as they come. Does no I/O and calls nobody: what was read is taken from it.

Lenient in nothing: an answer that could be read in two ways is broken.
"""

from typing import Final

import httptools

from crouter.runtime.egress.plain_answer import PlainHead
from crouter.runtime.egress.request_head import Headers

HEAD_BYTES_MAX: Final = 64 * 1024
_LENGTH, _CODING = b"content-length", b"transfer-encoding"


class _NotReadOnError(Exception):
    """Raised out of a callback, because that is how the parser is told to stop."""


class AnswerReader:
    """Reads the answers of one connection, one after another; `expect` comes before each.

    After `feed`: `status` is not 0 when the head is whole, `pieces` are new bytes of the body, `ended` says that the
    answer is whole, `broken` that it will never be. `reusable` says whether another answer can follow.
    """

    __slots__ = (
        "_codings",
        "_field_bytes",
        "_fields",
        "_has_length",
        "_interim",
        "_is_head",
        "_parser",
        "_plain",
        "_unproductive_bytes",
        "broken",
        "ended",
        "headers",
        "is_fresh",
        "on_body",
        "pieces",
        "reusable",
        "status",
        "until_close",
    )

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        # Called by the parser for every piece: the list itself takes it, without a step through Python.
        self.on_body = self.pieces.append
        self._parser = httptools.HttpResponseParser(self)
        self.expect(is_head=False)

    def expect(self, *, is_head: bool) -> None:
        """Forgets the answer before; the next one answers a HEAD request or another one."""
        self._is_head = is_head
        self._interim = False
        self._plain: PlainHead | None = None
        self._fields: list[tuple[str, str]] = []
        self._codings: list[bytes] = []
        self._has_length = False
        self._field_bytes = self._unproductive_bytes = 0
        self.status = 0
        self.headers: Headers = ()
        self.pieces.clear()
        self.is_fresh = True
        self.ended = self.broken = self.reusable = self.until_close = False

    def feed(self, data: bytes) -> None:
        """Reads on. Not to be called once the answer has ended or is broken."""
        self.is_fresh = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            # After the end of an answer: something that nobody asked for. What came before it stays whole.
            self.broken, self.reusable = not self.ended, False
            return
        # Bounds what the parser gathers itself: a header, an extension or a trailer that never ends.
        if self.pieces:
            self._unproductive_bytes = 0
        elif not self.ended:
            self._unproductive_bytes += len(data)
            if self._unproductive_bytes > HEAD_BYTES_MAX:
                self.broken = True

    def feed_body(self, head: PlainHead, data: bytes) -> None:
        """Reads on in `data`, whose head was read already: the parser sees the framing only."""
        self._plain = head
        self.feed(head.framing() + data[head.start :])

    def close(self) -> None:
        """The connection was closed in order; that ends an answer that has no other end."""
        self.ended = self.until_close and not self.broken
        self.broken = not self.ended

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self.ended:
            raise _NotReadOnError

    def on_header(self, name: bytes, value: bytes) -> None:
        self._field_bytes += len(name) + len(value) + 4
        if self._field_bytes > HEAD_BYTES_MAX:
            raise _NotReadOnError
        if self.status:
            return  # a trailer: bounded, and left out like the framing of chunks
        if len(name) == len(_LENGTH) and name.lower() == _LENGTH:
            self._has_length = True
        elif len(name) == len(_CODING) and name.lower() == _CODING:
            self._codings.append(value.strip().lower())
        self._fields.append((name.decode("ascii"), value.decode("utf-8", "surrogateescape")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            # RFC 9110 15.2.2: nobody asked for another protocol.
            if status <= 101 and status != 100:
                raise _NotReadOnError
            self._interim = True
            self._fields, self._codings, self._has_length = [], [], False
            return
        # RFC 9112 6.3. The parser refuses a length beside a coding, and two lengths.
        if self._codings and self._codings != [b"chunked"]:
            raise _NotReadOnError  # a coding that we would have to undo
        self.until_close = not (self._has_length or self._codings or status in (204, 304) or self._is_head)
        self.headers = tuple(self._fields) if self._plain is None else self._plain.headers
        self._fields = []
        self.status = status
        if self._is_head:
            # The parser would wait for the body that the length describes. It cannot be used again.
            self.ended = True
            raise _NotReadOnError

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            return
        self.ended = True
        self.reusable = self._parser.should_keep_alive()
