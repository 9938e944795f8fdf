"""Reads the body of a request, up to a bound and not a byte further."""

import asyncio
from typing import Final

from aiohttp import hdrs, web

from crouter.runtime.proxy.errors import ErrorReply, invalid_request, request_too_large

BODY_SECONDS: Final = 600.0


async def read_body(request: web.BaseRequest, bytes_max: int) -> bytes | ErrorReply:
    """The whole body as it came, or why it is refused. A length that is too large is refused before anything is read.

    Raises ConnectionError or CancelledError when the client leaves.
    """
    if (request.content_length or 0) > bytes_max:
        return request_too_large(bytes_max)
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        return invalid_request("content-encoding: request bodies are read uncompressed only")
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # An interim response is no part of the answer that is still to come.
        request.writer.output_size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, bytes_max)
    except TimeoutError:
        return invalid_request("the request body did not arrive in time")
    except web.RequestPayloadError:
        return invalid_request("the request body is not framed as its headers say")


async def _read(request: web.BaseRequest, bytes_max: int) -> bytes | ErrorReply:
    pieces: list[bytes] = []
    length = 0
    while piece := await request.content.readany():
        length += len(piece)
        if length > bytes_max:
            return request_too_large(bytes_max)
        pieces.append(piece)
    return b"".join(pieces)
