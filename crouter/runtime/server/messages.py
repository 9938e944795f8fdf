"""`POST /v1/messages`: admit, read, inspect, check the balance, then forward and meter."""

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.pricing.unpriced import unpriced_in
from crouter.runtime.proxy.errors import ErrorReply, invalid_request
from crouter.runtime.proxy.request import Refused, read_request
from crouter.runtime.server.admission import admit, require_credit
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import Forwarding
from crouter.runtime.server.metering import MeteredRelay
from crouter.runtime.server.protocol import error_reply


class MeteredRoute:
    """Answers a declared route that is metered."""

    def __init__(self, parts: Parts, forwarding: Forwarding, route: Route) -> None:
        self._parts = parts
        self._forwarding = forwarding
        self._route = route

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answers one request. Raises ConnectionError when the client is gone."""
        relay = await self._prepared(exchange)
        if isinstance(relay, ErrorReply):
            return error_reply(relay, exchange.request_id)
        metered, body = relay
        return await metered.run(self._route, body)

    async def _prepared(self, exchange: Exchange) -> tuple[MeteredRelay, list[bytes]] | ErrorReply:
        caller = await admit(exchange, self._parts, metered=True)
        if isinstance(caller, ErrorReply):
            return caller
        body = await read_body(exchange.request, self._parts.deployment.proxy.body_bytes_max)
        if isinstance(body, ErrorReply):
            return body
        accepted = read_request(body)
        if isinstance(accepted, Refused):
            return invalid_request(accepted.message)
        unpriced = unpriced_in(accepted, self._parts.prices, exchange.received_at)
        if unpriced is not None:
            return invalid_request(unpriced.message)
        refusal = await require_credit(exchange, self._parts, caller)
        if refusal is not None:
            return refusal
        return MeteredRelay(self._parts, self._forwarding, exchange, caller, accepted), [body]
