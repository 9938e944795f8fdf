"""Takes every request, finds who answers it, and sees to an answer and a log line, whatever happens."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from crouter.contract.traffic import Route
from crouter.runtime.front.edge import Edge
from crouter.runtime.front.relay import Relays
from crouter.runtime.front.telling import CLIENT_LEFT_STATUS, Teller
from crouter.runtime.proxy.errors import ErrorReply, internal_error, invalid_request, method_not_allowed, not_found
from crouter.runtime.proxy.not_offered import not_offered
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.history_pages import HistoryPages
from crouter.runtime.server.metering import BrokenOffError
from crouter.runtime.server.pages import Pages
from crouter.runtime.server.probes import Probes
from crouter.runtime.server.protocol import error_reply
from crouter.runtime.server.receipts import ReceiptRoutes
from crouter.runtime.server.routes import answerers
from crouter.runtime.server.site.notices import Notices
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.site import site_routes
from crouter.runtime.server.transport import Transport
from crouter.runtime.words import kind_of

API: Final = "/v1/"

Answerer = Callable[[Exchange], Awaitable[web.StreamResponse]]

_PLACEHOLDER: Final = re.compile(r"\{[a-z_]+\}")
# What may stand for such a segment: nothing that a path could be steered with.
_SEGMENT: Final = r"(?!\.)[A-Za-z0-9._:@-]{1,128}"


@dataclass(frozen=True, slots=True)
class _Target:
    name: str
    pattern: re.Pattern[str]
    methods: tuple[str, ...]
    answerer: Answerer
    needs_transport: bool = True


class App:
    """The whole service as one function from a request to its answer."""

    def __init__(self, parts: Parts, relays: Relays, edge: Edge, teller: Teller) -> None:
        self._parts = parts
        self._teller = teller
        self._transport = Transport(parts.deployment, edge)
        pages, history, probes = Pages(parts), HistoryPages(parts, SitePages(parts)), Probes(parts)
        receipts, self._notices = ReceiptRoutes(parts), Notices(parts)
        proxied = [_proxied(answer, route) for answer, route in answerers(parts, relays)]
        self._targets = (
            *proxied,
            *(_Target(route.name, route.pattern, route.methods, route.answer) for route in site_routes(parts)),
            *(_page(name, path, pages) for name, path in pages.routes()),
            *(_Target(name, pattern, ("GET", "HEAD"), history.answer) for name, pattern in history.routes()),
            *(_Target(name, pattern, ("GET", "HEAD"), answer) for name, pattern, answer in receipts.routes()),
            *(_Target(name, _exactly(path), ("GET", "HEAD"), answer, False) for name, path, answer in probes.routes()),
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request. Raises ConnectionError when its connection has to end."""
        exchange = Exchange(request)
        try:
            reply = await self._answer(exchange) if _is_framed(request) else _unframed(exchange)
        except asyncio.CancelledError:
            self._tell(exchange, CLIENT_LEFT_STATUS)
            raise
        except BrokenOffError as error:
            self._tell(exchange, error.status)
            raise
        except ConnectionError:
            self._tell(exchange, CLIENT_LEFT_STATUS)
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the client gets an answer and the log its type
            self._parts.log.error("handler_crashed", request_id=exchange.request_id, error=kind_of(error))
            if exchange.answer_began:
                self._tell(exchange, 500)
                raise ConnectionResetError from None
            reply = error_reply(internal_error(), exchange.request_id)
        if not reply.prepared:
            self._transport.secure(reply)
        self._tell(exchange, reply.status)
        return reply

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        target = self._target(exchange)
        if isinstance(target, ErrorReply):
            refusal = self._transport.refusal(exchange)
            if refusal is None and target.status == 404 and _is_reader(exchange):
                return self._notices.missing(exchange)
            return refusal or error_reply(target, exchange.request_id)
        exchange.route = target.name
        if target.needs_transport and (refusal := self._transport.refusal(exchange)):
            return refusal
        return await target.answerer(exchange)

    def _target(self, exchange: Exchange) -> _Target | ErrorReply:
        matching = [target for target in self._targets if target.pattern.fullmatch(exchange.path)]
        for target in matching:
            if exchange.request.method in target.methods:
                return target
        if matching:
            return method_not_allowed(tuple(method for target in matching for method in target.methods))
        return not_offered(exchange.path) or not_found()

    def _tell(self, exchange: Exchange, status: int) -> None:
        self._teller.answered(exchange.request_id, exchange.route, exchange.request.method, status, exchange.began)


def _is_reader(exchange: Exchange) -> bool:
    """Whether a person looks for a page, and not a program for something of the API."""
    request = exchange.request
    is_page = request.method in ("GET", "HEAD") and not exchange.path.startswith(API)
    return is_page and "text/html" in request.headers.get(hdrs.ACCEPT, "")


def _is_framed(request: web.BaseRequest) -> bool:
    """Whether it is plain where the request ends. Otherwise what follows could be taken for another one."""
    # RFC 9112, 6.1: who speaks HTTP/1.0 knows no transfer codings. RFC 9110, 9.3.6: CONNECT has no content.
    coded_before_its_time = request.version < HttpVersion11 and hdrs.TRANSFER_ENCODING in request.headers
    return not coded_before_its_time and request.method != hdrs.METH_CONNECT


def _unframed(exchange: Exchange) -> web.StreamResponse:
    reply = error_reply(invalid_request("the request is not valid HTTP"), exchange.request_id)
    reply.force_close()
    return reply


def _proxied(answerer: Answerer, route: Route) -> _Target:
    pattern = _SEGMENT.join(re.escape(piece) for piece in _PLACEHOLDER.split(route.path))
    return _Target(route.name, re.compile(pattern), (route.method,), answerer)


def _page(name: str, path: str, pages: Pages) -> _Target:
    return _Target(name, _exactly(path), ("GET", "HEAD"), pages.answer)


def _exactly(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path))
