"""Sends a request on to the upstream, with its body and headers untouched but for what the policy takes out."""

from typing import Final, Literal

from crouter.contract.deployment import Deployment
from crouter.contract.traffic import Route
from crouter.runtime.egress import Answer, ContentChannel, drop_patterns
from crouter.runtime.proxy.headers import Headers, RequestHeaders, ResponseHeaders
from crouter.runtime.secret import Secret
from crouter.runtime.server.exchange import Exchange

# Between the edge and us only.
OWN_PREFIX: Final = "x-crouter-"
# What would have the upstream answer with a part, with nothing, or in a coding.
_PARTIAL: Final = frozenset(
    {"accept-encoding", "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"}
)


class UnforwardableHeaderError(Exception):
    """A header holds bytes that cannot be sent on as they are."""


class Forwarding:
    """The way to the upstream and back, for one deployment."""

    def __init__(self, deployment: Deployment, channel: ContentChannel, key: Secret[str]) -> None:
        names, prefixes = drop_patterns(deployment.proxy.drops_request_headers)
        self._request_headers = RequestHeaders(names, (*prefixes, OWN_PREFIX))
        self._response_headers = ResponseHeaders(*drop_patterns(deployment.proxy.drops_response_headers))
        self._channel = channel
        self._key = key

    async def send(self, exchange: Exchange, route: Route, body: bytes | None, *, uncoded: bool = False) -> Answer:
        """Forwards the request; `uncoded` asks for an answer in no content coding.

        Raises UnforwardableHeaderError, EgressRefusedError, UpstreamError.
        """
        target = exchange.path + (f"?{exchange.query}" if "?" in exchange.request.raw_path else "")
        if uncoded:
            return await self.ask(exchange, route.method, target, body, dialect=route.dialect)
        return await self._sent(route.method, target, body, self._headers(exchange), dialect=route.dialect)

    async def ask(
        self,
        exchange: Exchange,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        dialect: Literal["anthropic", "openai"] = "anthropic",
    ) -> Answer:
        """Asks on behalf of a request for an answer that is read here: whole, and in no content coding.

        Raises UnforwardableHeaderError, EgressRefusedError, UpstreamError.
        """
        headers = tuple(pair for pair in self._headers(exchange) if pair[0].lower() not in _PARTIAL)
        return await self._sent(method, target, body, (*headers, ("accept-encoding", "identity")), dialect=dialect)

    def _headers(self, exchange: Exchange) -> Headers:
        return self._request_headers.forwarded(tuple(exchange.request.headers.items()))

    async def _sent(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Headers,
        *,
        dialect: Literal["anthropic", "openai"],
    ) -> Answer:
        if any(not _is_text(value) for _, value in headers):
            raise UnforwardableHeaderError
        key = self._key.reveal()
        credential = ("authorization", f"Bearer {key}") if dialect == "openai" else ("x-api-key", key)
        return await self._channel.send(method, target, (*headers, credential), body)

    def returned(self, answer: Answer, exchange: Exchange) -> Headers:
        """The answer's headers that go back to the client."""
        return self._response_headers.returned(answer.headers, exchange.request_id)


def _is_text(value: str) -> bool:
    # aiohttp keeps bytes that are no UTF-8 as surrogates and would leave them out when it sends.
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
