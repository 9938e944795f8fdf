"""Sends a request that came over aiohttp on to the upstream."""

from crouter.contract.traffic import Route
from crouter.runtime.egress import Answer
from crouter.runtime.front.passage import Passage
from crouter.runtime.proxy.headers import Headers
from crouter.runtime.server.exchange import Exchange


class Forwarding:
    """The way to the upstream and back for requests without metering, and for those that are read in another way."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage

    async def send(self, exchange: Exchange, route: Route, body: bytes | None) -> Answer:
        """Forwards the request. Raises UnforwardableHeaderError, EgressRefusedError, UpstreamError."""
        headers = self.passage.forwarded(tuple(exchange.request.headers.items()))
        return await self.passage.send(route.method, exchange.target, headers, body)

    def returned(self, answer: Answer, exchange: Exchange) -> Headers:
        """The answer's headers that go back to the client."""
        return tuple(self.passage.returned(answer.headers, exchange.request_id).headers)
