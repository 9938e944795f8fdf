"""Relays an answer that costs nothing: token counts and lists of models."""

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.egress import Answer, UpstreamError
from crouter.runtime.proxy.errors import ErrorReply, invalid_request
from crouter.runtime.proxy.shared_state import shared_state_in
from crouter.runtime.server.admission import admit
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import NOT_ANSWERED, Forwarding, fault_of
from crouter.runtime.server.outlet import Outlet
from crouter.runtime.server.protocol import error_reply


class FreeRoute:
    """Answers a declared route that is not metered."""

    def __init__(self, parts: Parts, forwarding: Forwarding, route: Route) -> None:
        self._parts = parts
        self._forwarding = forwarding
        self._route = route

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Admits, forwards and relays one request. Raises ConnectionError when the client is gone."""
        outcome = await self._begun(exchange)
        if isinstance(outcome, ErrorReply):
            return error_reply(outcome, exchange.request_id)
        try:
            outlet = Outlet(exchange.request, outcome.status, self._forwarding.returned(outcome, exchange))
            async for piece in outcome.pieces():
                await outlet.write(piece)
            return await outlet.end()
        except UpstreamError as error:
            if exchange.answer_began:
                # The client has to see that the answer is not whole: its connection breaks off, too.
                raise ConnectionResetError from None
            return error_reply(fault_of(error), exchange.request_id)
        finally:
            outcome.close()

    async def _begun(self, exchange: Exchange) -> Answer | ErrorReply:
        caller = await admit(exchange, self._parts, metered=False)
        if isinstance(caller, ErrorReply):
            return caller
        body = None
        if self._route.method == "POST":
            read = await read_body(exchange.request, self._parts.deployment.proxy.body_bytes_max)
            if isinstance(read, ErrorReply):
                return read
            if (shared := shared_state_in(read)) is not None:
                return invalid_request(shared)
            body = read
        try:
            return await self._forwarding.send(exchange, self._route, body)
        except NOT_ANSWERED as error:
            return fault_of(error)
