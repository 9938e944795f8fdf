"""`POST /v1/messages` over aiohttp: what the front did not serve. Admitted, forwarded and metered by the same code."""

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.front.admission import Admission
from crouter.runtime.front.passage import UnforwardableHeaderError
from crouter.runtime.front.relay import Admitted, Relays
from crouter.runtime.key_lookup import Caller
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.proxy.headers import Headers
from crouter.runtime.server.admission import admit
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.metering import relayed
from crouter.runtime.server.protocol import error_reply
from crouter.runtime.server.relay import unforwardable_header


class MeteredRoute:
    """Answers a declared route that is metered."""

    def __init__(self, parts: Parts, relays: Relays, route: Route) -> None:
        self._parts = parts
        self._relays = relays
        self._admission = Admission(parts)
        self._route = route

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answers one request. Raises ConnectionError when the client is gone, or has to see a broken connection."""
        try:
            headers = self._relays.passage.forwarded(tuple(exchange.request.headers.items()))
        except UnforwardableHeaderError:
            return error_reply(unforwardable_header(), exchange.request_id)
        caller = await admit(exchange, self._parts, metered=True)
        if isinstance(caller, ErrorReply):
            return error_reply(caller, exchange.request_id)
        place = self._admission.enter(caller)
        if isinstance(place, ErrorReply):
            return error_reply(place, exchange.request_id)
        try:
            return await self._answer(exchange, caller, headers)
        finally:
            place.close()

    async def _answer(self, exchange: Exchange, caller: Caller, headers: Headers) -> web.StreamResponse:
        prepared = await self._prepared(exchange, caller)
        if isinstance(prepared, ErrorReply):
            return error_reply(prepared, exchange.request_id)
        admitted, body = prepared
        return await relayed(self._relays, exchange, admitted, headers, body)

    async def _prepared(self, exchange: Exchange, caller: Caller) -> tuple[Admitted, list[bytes]] | ErrorReply:
        body = await read_body(exchange.request, self._parts.deployment.proxy.body_bytes_max)
        if isinstance(body, ErrorReply):
            return body
        accepted = self._admission.read(body, exchange.received_at)
        if isinstance(accepted, ErrorReply):
            return accepted
        nanousd = self._admission.most(accepted, body, exchange.received_at)
        hold = self._admission.known_hold(caller, nanousd)
        if hold is None:
            held = await self._admission.hold(caller, nanousd, exchange.request_id)
            if isinstance(held, ErrorReply):
                return held
            hold = held
        return Admitted(exchange.request_id, exchange.received_at, caller, accepted, hold), [body]
