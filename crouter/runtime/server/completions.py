"""`POST /v1/chat/completions`: admit, read, inspect, check the balance, then forward and meter like a message.

The answer is that of Anthropic's compatibility endpoint, byte for byte, less the one chunk that only we asked for.
"""

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.pricing.unpriced import unpriced_in
from crouter.runtime.proxy.completion_request import read_completion
from crouter.runtime.proxy.dialects import COMPLETIONS
from crouter.runtime.proxy.errors import ErrorReply, invalid_request
from crouter.runtime.proxy.request import Refused
from crouter.runtime.proxy.usage_chunk import UsageChunkFilter
from crouter.runtime.server.admission import admit, require_credit
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import Forwarding
from crouter.runtime.server.metering import MeteredRelay
from crouter.runtime.server.protocol import error_reply


class CompletionsRoute:
    """Answers a declared route whose dialect is OpenAI's."""

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
        asked = read_completion(body)
        if isinstance(asked, Refused):
            return invalid_request(asked.message)
        unpriced = unpriced_in(asked.accepted, self._parts.prices, exchange.received_at)
        if unpriced is not None:
            return invalid_request(unpriced.message)
        refusal = await require_credit(exchange, self._parts, caller)
        if refusal is not None:
            return refusal
        cut = UsageChunkFilter() if asked.asks_usage else None
        relay = MeteredRelay(
            self._parts, self._forwarding, exchange, caller, asked.accepted, dialect=COMPLETIONS, cut=cut
        )
        return relay, [asked.body]
