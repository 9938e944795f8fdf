"""aiohttp's server with the parts replaced that tell too much: error pages, logs, the `Server` header.

aiohttp answers a malformed request by quoting it, and logs it, key and prompt included. Here such a request gets a
fixed answer in Anthropic's shape, and one log line with a request id and the type of the error.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import hdrs, http_parser, web

from crouter.runtime.logs import Log
from crouter.runtime.proxy.errors import ErrorReply, internal_error, invalid_request
from crouter.runtime.proxy.request_id import new_request_id
from crouter.runtime.web.cookies import CookieGate
from crouter.runtime.words import kind_of

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

KEEPALIVE_SECONDS: Final = 75.0
LINGERING_SECONDS: Final = 2.0
HEADER_BYTES_MAX: Final = 16 * 1024


class SlowParserError(Exception):
    """aiohttp's parser in C is missing; the one in Python is laxer about request smuggling, and slow."""


class _Quiet(web.StreamResponse):
    """Says nothing about the software that sends it, and adds no media type to an answer that has none."""

    async def _prepare_headers(self) -> None:
        had_type = hdrs.CONTENT_TYPE in self.headers
        await super()._prepare_headers()
        self._pass_cookies()
        self.headers.popall(hdrs.SERVER, None)
        if not had_type:
            self.headers.popall(hdrs.CONTENT_TYPE, None)

    def _pass_cookies(self) -> None:
        # Here the headers are complete, cookies of `set_cookie` included, and none has left.
        values = self.headers.popall(hdrs.SET_COOKIE, [])
        if values:
            assert self._req is not None, "headers are prepared for a request"
            protocol = self._req.protocol
            assert isinstance(protocol, Protocol), "every connection is one of ours"
            self.headers.extend((hdrs.SET_COOKIE, value) for value in protocol.cookies.passing(values))


class StreamReply(_Quiet):
    """An answer that is written piece by piece."""


class Reply(_Quiet, web.Response):
    """An answer that is complete."""


def error_reply(error: ErrorReply, request_id: str) -> Reply:
    """One of our own errors as an HTTP answer."""
    return Reply(status=error.status, headers=error.headers(request_id), body=error.body(request_id))


class Protocol(web.RequestHandler):
    """One connection of a client."""

    __slots__ = ("_log", "cookies")

    def __init__(self, server: "Server", log: Log, cookies: CookieGate, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # accepted, and how runners are told, too
            logger=_silent_logger(),
            keepalive_timeout=KEEPALIVE_SECONDS,
            lingering_time=LINGERING_SECONDS,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            auto_decompress=False,
        )
        self._log = log
        self.cookies = cookies

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be parsed. `message` quotes the request and is left unread."""
        request_id = new_request_id()
        # `kind_of` gives a name from aiohttp's code; the exception's own text holds bytes of the client.
        event = "malformed_request" if status < 500 else "connection_broken_off"
        self._log.warning(event, request_id=request_id, status=status, error=kind_of(exc))
        if request.writer.output_size > 0:
            raise ConnectionError
        fault = invalid_request("the request is not valid HTTP") if status < 500 else internal_error()
        reply = error_reply(fault, request_id)
        reply.force_close()
        return reply


class Server(web.Server):
    """Makes a `Protocol` for every connection. A client that leaves cancels its handler."""

    def __init__(self, handler: Handler, log: Log, cookies: CookieGate) -> None:
        super().__init__(handler, handler_cancellation=True)
        self._log = log
        self._cookies = cookies
        self._own_loop = asyncio.get_running_loop()

    def __call__(self) -> web.RequestHandler:
        return Protocol(self, self._log, self._cookies, self._own_loop)


def require_c_parser() -> None:
    """Raises SlowParserError unless aiohttp parses requests with its C parser."""
    fast: Any = getattr(http_parser, "HttpRequestParserC", None)
    if fast is None or http_parser.HttpRequestParser is not fast:
        raise SlowParserError("aiohttp runs without its C parser; install a wheel of aiohttp for this platform")


def _silent_logger() -> logging.Logger:
    logger = logging.Logger("crouter.server", level=logging.CRITICAL + 1)
    logger.addHandler(logging.NullHandler())
    return logger
