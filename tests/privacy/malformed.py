"""Requests that are not HTTP, or not quite, each with a canary wherever one fits."""

from collections.abc import Callable

Plant = Callable[[str], str]


def malformed_requests(plant: Plant, key: str) -> dict[str, bytes]:
    """Raw requests by the name of what is wrong with them; `plant` gives a canary for a position."""

    def request(*lines: str, body: str = "") -> bytes:
        return "\r\n".join((*lines, "", body)).encode("latin-1")

    start, host = "POST /v1/messages HTTP/1.1", "host: x"
    return {
        "no HTTP at all": f"{plant('no-http/line')}\r\n\r\n".encode(),
        "no version": request(f"GET /{plant('no-version/path')}"),
        "a version that does not exist": request(f"GET /{plant('version/path')} HTTP/9.9", host),
        "a method that is none": request(f"{plant('method/method')}( / HTTP/1.1", host),
        "a header without a colon": request(start, host, f"x-api-key {plant('no-colon/header')}"),
        "a header's name with a blank": request(start, host, f"x {plant('blank/name')} y: {plant('blank/value')}"),
        "a control character": request(start, host, f"x-note: {plant('control/value')}\x00\x07"),
        "a folded header": request(start, host, f"x-note: {plant('folded/first')}", f" {plant('folded/second')}"),
        "a length that is no number": request(start, host, f"content-length: {plant('length/value')}"),
        "two lengths": request(start, host, "content-length: 3", "content-length: 30", body=plant("two-lengths/body")),
        "a length and chunks": request(
            start,
            host,
            f"x-api-key: {key}",
            "content-length: 3",
            "transfer-encoding: chunked",
            body=plant("smuggled/body"),
        ),
        "a chunk's size that is no number": request(
            start, host, f"x-api-key: {key}", "transfer-encoding: chunked", body=f"{plant('chunk/size')}\r\n"
        ),
        "a header that is too long": request(start, host, "x-note: " + plant("long/header") * 2000),
        "a line that is too long": request(f"GET /{plant('long/line') * 2000} HTTP/1.1", host),
        "too many headers": request(start, host, *(f"x-{n}: {plant(f'many/{n}')}" for n in range(400))),
        "bytes that are no text": request(
            start,
            host,
            f"x-api-key: {key}",
            f"x-note: {plant('no-text/header')}\xff\xfe",
            "content-length: 2",
            body="{}",
        ),
        "an absolute address": request(
            f"GET http://{plant('absolute/host')}.example/{plant('absolute/path')} HTTP/1.1", host
        ),
        "a tunnel": request(f"CONNECT {plant('tunnel/host')}.example:443 HTTP/1.1", host),
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + plant("tls/hello").encode(),
    }
