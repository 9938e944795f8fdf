"""`POST /v1/messages`: admit, read, inspect, reserve what it can cost, then forward and meter."""

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.pricing.book import Unpriced
from crouter.runtime.pricing.most import most_it_can_cost
from crouter.runtime.proxy.errors import ErrorReply, invalid_request
from crouter.runtime.proxy.options import ORDINARY
from crouter.runtime.proxy.request import Accepted, Refused, read_request
from crouter.runtime.server.admission import admit, reserve
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
        unpriced = self._unpriced(accepted, exchange)
        if unpriced is not None:
            return invalid_request(unpriced.message)
        most = most_it_can_cost(accepted, body, self._parts.prices, exchange.received_at)
        hold = await reserve(exchange, self._parts, caller, most)
        if isinstance(hold, ErrorReply):
            return hold
        return MeteredRelay(self._parts, self._forwarding, exchange, caller, accepted, hold), [body]

    def _unpriced(self, accepted: Accepted, exchange: Exchange) -> Unpriced | None:
        """Whatever the upstream may run for this request needs a price before it is asked to."""
        prices, at = self._parts.prices, exchange.received_at
        asked = [(accepted.model, accepted.options), *((model, ORDINARY) for model in accepted.further_models)]
        for model, options in asked:
            price = prices.price_for(model, at, options)
            if isinstance(price, Unpriced):
                return price
        return prices.unpriced_tool(accepted.tool_types)
