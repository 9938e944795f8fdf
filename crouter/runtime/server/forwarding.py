"""Sends a request that came over aiohttp on to the upstream."""

from typing import Final

from crouter.contract.traffic import Route
from crouter.runtime.egress import Answer, UpstreamError
from crouter.runtime.front.passage import NoKeyError, Passage, UnforwardableHeaderError
from crouter.runtime.front.relay import upstream_fault
from crouter.runtime.proxy.errors import ErrorReply, invalid_request, overloaded
from crouter.runtime.proxy.headers import Headers, uncoded
from crouter.runtime.server.exchange import Exchange

NOT_ANSWERED: Final = (UnforwardableHeaderError, NoKeyError, UpstreamError)
"""What is raised where there is no answer of the upstream's, or no more of one."""


class Forwarding:
    """The way to the upstream and back for requests without metering, and for those that are read in another way."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage

    async def send(self, exchange: Exchange, route: Route, body: bytes | None) -> Answer:
        """Forwards the request. Raises EgressRefusedError and what is in NOT_ANSWERED."""
        return await self.passage.send(route.method, exchange.target, self.headers(exchange), body)

    async def ask(self, exchange: Exchange, method: str, target: str, body: bytes | None = None) -> Answer:
        """Asks on behalf of a request for an answer that is read here: whole, and in no content coding.

        Raises EgressRefusedError and what is in NOT_ANSWERED.
        """
        return await self.passage.send(method, target, uncoded(self.headers(exchange)), body)

    def headers(self, exchange: Exchange) -> Headers:
        """The request's headers as they leave, without a key. Raises UnforwardableHeaderError."""
        return self.passage.forwarded(tuple(exchange.request.headers.items()))

    def returned(self, answer: Answer, exchange: Exchange) -> Headers:
        """The answer's headers that go back to the client."""
        return tuple(self.passage.returned(answer.headers, exchange.request_id).headers)


def fault_of(error: Exception) -> ErrorReply:
    """What a client is told of an error in NOT_ANSWERED."""
    match error:
        case UnforwardableHeaderError():
            return unforwardable_header()
        case NoKeyError(retry_after_seconds=seconds):
            return overloaded(seconds)
        case UpstreamError():
            return upstream_fault(error)
        case _:
            raise AssertionError("no error of the way to the upstream")


def unforwardable_header() -> ErrorReply:
    return invalid_request("a request header holds bytes that are not UTF-8")
