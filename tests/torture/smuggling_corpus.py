"""Requests whose end two readers may see in different places, written by ourselves from RFC 9110 and 9112.

Each hides a second request in what one reader takes for a body. Nobody may ever carry that one out. `refused` marks
those that break the RFC so plainly that the service has to refuse them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

# Ways of writing a transfer coding, some of which some reader takes for `chunked`.
_TRANSFER_CODINGS: Final[dict[str, bytes]] = {
    "plain": b"Transfer-Encoding: chunked",
    "upper case": b"TRANSFER-ENCODING: CHUNKED",
    "space before the colon": b"Transfer-Encoding : chunked",
    "tab before the colon": b"Transfer-Encoding\t: chunked",
    "tab after the colon": b"Transfer-Encoding:\tchunked",
    "vertical tab": b"Transfer-Encoding:\x0bchunked",
    "form feed": b"Transfer-Encoding: chunked\x0c",
    "NUL behind": b"Transfer-Encoding: chunked\x00",
    "NUL ahead": b"\x00Transfer-Encoding: chunked",
    "space ahead": b" Transfer-Encoding: chunked",
    "tab ahead": b"\tTransfer-Encoding: chunked",
    "folded": b"Transfer-Encoding:\r\n chunked",
    "folded behind": b"Transfer-Encoding: chunked\r\n\t, identity",
    "folded name": b"Transfer-Encoding\r\n : chunked",
    "behind a bare line feed": b"X-A: b\nTransfer-Encoding: chunked",
    "behind a bare carriage return": b"X-A: b\rTransfer-Encoding: chunked",
    "a letter more": b"Transfer-Encoding: xchunked",
    "a letter less": b"Transfer-Encoding: chunke",
    "quoted": b'Transfer-Encoding: "chunked"',
    "with a parameter": b"Transfer-Encoding: chunked;a=b",
    "comma ahead": b"Transfer-Encoding: , chunked",
    "comma behind": b"Transfer-Encoding: chunked,",
    "identity behind": b"Transfer-Encoding: chunked, identity",
    "identity ahead": b"Transfer-Encoding: identity, chunked",
    "gzip ahead": b"Transfer-Encoding: gzip, chunked",
    "chunked twice": b"Transfer-Encoding: chunked, chunked",
    "two lines": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "identity in another line": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "nonsense in another line": b"Transfer-Encoding: nonsense\r\nTransfer-Encoding: chunked",
    "underscore": b"Transfer_Encoding: chunked",
    "empty": b"Transfer-Encoding:",
    "high byte": b"Transfer-Encoding: \xa0chunked",
    "in a list of words": b"Transfer-Encoding: chunked keep-alive",
}
# These are no header of that name for anybody, or no coding: the length alone counts, and says it plainly.
_HARMLESS: Final = frozenset({"underscore"})
# Ways of writing a length of which %d is a part. The real body is longer, and goes on with the hidden request.
_LENGTHS: Final[dict[str, bytes]] = {
    "twice": b"Content-Length: %d\r\nContent-Length: %e",
    "twice, other way round": b"Content-Length: %e\r\nContent-Length: %d",
    "in a list": b"Content-Length: %d, %e",
    "with a plus": b"Content-Length: +%d",
    "negative": b"Content-Length: -%d",
    "hexadecimal": b"Content-Length: 0x%d",
    "with an exponent": b"Content-Length: %de0",
    "with a space inside": b"Content-Length: %d 0",
    "with a letter": b"Content-Length: %da",
    "space before the colon": b"Content-Length : %d",
    "vertical tab": b"Content-Length: %d\x0b",
    "NUL": b"Content-Length: %d\x00",
    "folded": b"Content-Length:\r\n %d",
    "behind a bare line feed": b"X-A: b\nContent-Length: %d",
    "behind a bare carriage return": b"X-A: b\rContent-Length: %d",
    "beyond 64 bits": b"Content-Length: 1844674407370955162%d",
    "empty": b"Content-Length: ",
    "with an underscore": b"Content-Length: %d_0",
    "in other digits": b"Content-Length: \xd9\xa1%d",
    "with a comma": b"Content-Length: %d,",
}
# Chunks of which some reader sees another end. %s is the hidden request.
_CHUNKS: Final[dict[str, bytes]] = {
    "size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n%s",
    "size with a plus": b"+5\r\nhello\r\n0\r\n\r\n%s",
    "negative size": b"-5\r\nhello\r\n0\r\n\r\n%s",
    "size with a space ahead": b" 5\r\nhello\r\n0\r\n\r\n%s",
    "size with an underscore": b"0_5\r\nhello\r\n0\r\n\r\n%s",
    "size beyond 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n%s",
    "no size": b"\r\nhello\r\n0\r\n\r\n%s",
    "bare line feed behind the size": b"5\nhello\r\n0\r\n\r\n%s",
    "bare carriage return behind the size": b"5\rhello\r\n0\r\n\r\n%s",
    "line feed in an extension": b"5;a\nhello\r\n0\r\n\r\n%s",
    "carriage return in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n%s",
    "NUL in an extension": b"5;a\0b\r\nhello\r\n0\r\n\r\n%s",
    "data longer than its size": b"5\r\nhello!!\r\n0\r\n\r\n%s",
    "no line end behind the data": b"5\r\nhello0\r\n\r\n%s",
    "two bytes that are no line end": b"5\r\nhelloXX0\r\n\r\n%s",
    "bare line feed at the end": b"5\r\nhello\r\n0\n\n%s",
}
_REQUEST_LINES: Final[dict[str, tuple[bytes, bool]]] = {
    "two spaces": (b"POST  /v1/messages HTTP/1.1", True),
    "tabs": (b"POST\t/v1/messages\tHTTP/1.1", True),
    "no version": (b"POST /v1/messages", True),
    "version 0.9": (b"POST /v1/messages HTTP/0.9", True),
    "version 1.2": (b"POST /v1/messages HTTP/1.2", False),
    "version 2.0": (b"POST /v1/messages HTTP/2.0", True),
    "no protocol": (b"POST /v1/messages FTP/1.1", True),
    "a space in the target": (b"POST /v1/mess ages HTTP/1.1", True),
    "NUL in the target": (b"POST /v1/messages\0 HTTP/1.1", True),
    "carriage return in the target": (b"POST /v1/messages\r HTTP/1.1", True),
    "absolute form": (b"POST http://elsewhere.invalid/v1/messages HTTP/1.1", False),
    "authority form": (b"CONNECT elsewhere.invalid:443 HTTP/1.1", True),
    "asterisk form": (b"OPTIONS * HTTP/1.1", False),
    "no slash": (b"POST v1/messages HTTP/1.1", False),
    "a method of 10,000 letters": (b"P" * 10_000 + b" /v1/messages HTTP/1.1", True),
    "a target of 100,000 letters": (b"POST /" + b"a" * 100_000 + b" HTTP/1.1", True),
    "a method with a colon": (b"PO:ST /v1/messages HTTP/1.1", True),
    "line ends ahead": (b"\r\n\r\nPOST /v1/messages HTTP/1.1", False),
}
_HEADERS: Final[dict[str, tuple[bytes, bool]]] = {
    "two hosts": (b"Host: elsewhere.invalid", True),
    "a NUL": (b"X-A: b\0c", True),
    "a name with a space": (b"X A: b", True),
    "an empty name": (b": b", True),
    "no colon": (b"nonsense", True),
    "a bare carriage return": (b"X-A: b\rc", True),
    "folded": (b"X-A: b\r\n c", True),
    "a name with a parenthesis": (b"X(A): b", True),
    "a header of 100,000 bytes": (b"X-A: " + b"b" * 100_000, True),
    "an upgrade to HTTP/2": (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk", False),
    "an upgrade to a web socket": (b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13", False),
    "a connection header that names the length": (b"Connection: content-length", False),
    "a connection header that names the key": (b"Connection: x-api-key, host", False),
    "an expectation nobody knows": (b"Expect: 200-ok", False),
    "two keys": (b"X-Api-Key: sk-another", False),
    "the key twice, once as bearer": (b"Authorization: Bearer sk-another", False),
}


@dataclass(frozen=True, slots=True)
class Attack:
    """One request as bytes, made for an attacker's key and a hidden request."""

    name: str
    refused: bool
    bytes_for: Callable[[str, bytes], bytes]


def attacks() -> Iterator[Attack]:
    """The whole corpus, in a stable order."""
    for name, line in _TRANSFER_CODINGS.items():
        refused = name not in _HARMLESS
        yield Attack(f"coding, {name}: the length covers all", refused, _length_covers_all(line))
        if refused:
            yield Attack(f"coding, {name}: the chunks cover all", refused, _chunks_cover_all(line))
    for name, line in _LENGTHS.items():
        yield Attack(f"length, {name}", True, _odd_length(line))
    for name, chunks in _CHUNKS.items():
        yield Attack(f"chunks, {name}", True, _odd_chunks(chunks))
    for name, (line, refused) in _REQUEST_LINES.items():
        yield Attack(f"request line, {name}", refused, _with_line(line))
    for name, (line, refused) in _HEADERS.items():
        yield Attack(f"header, {name}", refused, _with_header(line))
    yield Attack(
        "bytes of HTTP/2", True, lambda key, hidden: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00" + hidden
    )
    yield Attack(
        "no host", True, lambda key, hidden: _head(b"POST /v1/messages HTTP/1.1", key, b"", b"") + b"\r\n" + hidden
    )
    # RFC 9112 6.1: such framing is faulty, and the connection ends.
    yield Attack("chunks under version 1.0", True, _old_version)


def _head(line: bytes, key: str, host: bytes, more: bytes) -> bytes:
    lines = [line, host, f"x-api-key: {key}".encode(), more]
    return b"\r\n".join(part for part in lines if part) + b"\r\n"


def _request(key: str, more: bytes, body: bytes, line: bytes = b"POST /v1/messages HTTP/1.1") -> bytes:
    return _head(line, key, b"Host: crouter", more) + b"\r\n" + body


def _length_covers_all(coding: bytes) -> Callable[[str, bytes], bytes]:
    def made(key: str, hidden: bytes) -> bytes:
        body = b"0\r\n\r\n" + hidden
        return _request(key, coding + b"\r\nContent-Length: %d" % len(body), body)

    return made


def _chunks_cover_all(coding: bytes) -> Callable[[str, bytes], bytes]:
    def made(key: str, hidden: bytes) -> bytes:
        size = b"%x\r\n" % len(hidden)
        return _request(key, b"Content-Length: %d\r\n" % len(size) + coding, size + hidden + b"\r\n0\r\n\r\n")

    return made


def _odd_length(line: bytes) -> Callable[[str, bytes], bytes]:
    def made(key: str, hidden: bytes) -> bytes:
        body = b"12345" + hidden
        return _request(key, line.replace(b"%d", b"5").replace(b"%e", b"%d" % len(body)), body)

    return made


def _odd_chunks(chunks: bytes) -> Callable[[str, bytes], bytes]:
    return lambda key, hidden: _request(key, b"Transfer-Encoding: chunked", chunks.replace(b"%s", hidden))


def _with_line(line: bytes) -> Callable[[str, bytes], bytes]:
    return lambda key, hidden: _request(key, b"Content-Length: %d" % len(hidden), hidden, line)


def _with_header(line: bytes) -> Callable[[str, bytes], bytes]:
    return lambda key, hidden: _request(key, line + b"\r\nContent-Length: %d" % len(hidden), hidden)


def _old_version(key: str, hidden: bytes) -> bytes:
    return _request(
        key,
        b"Connection: keep-alive\r\nTransfer-Encoding: chunked",
        b"0\r\n\r\n" + hidden,
        b"POST /v1/messages HTTP/1.0",
    )
