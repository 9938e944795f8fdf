"""What passes to the upstream and back: headers untouched but for what the policy takes out, and our key for theirs."""

from collections.abc import Sequence
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.egress import Answer, ContentChannel, HeaderLines, Receiver, UpstreamExchange, drop_patterns
from crouter.runtime.proxy.headers import Headers, RequestHeaders, ResponseHeaders, Returned
from crouter.runtime.secret import Secret

# Between the edge and us only.
OWN_PREFIX: Final = "x-crouter-"


class UnforwardableHeaderError(Exception):
    """A header holds bytes that cannot be sent on as they are."""


class Passage:
    """The way to the upstream and back, for one deployment."""

    def __init__(self, deployment: Deployment, channel: ContentChannel, key: Secret[str]) -> None:
        names, prefixes = drop_patterns(deployment.proxy.drops_request_headers)
        self.request_headers = RequestHeaders(names, (*prefixes, OWN_PREFIX))
        self._response_headers = ResponseHeaders(*drop_patterns(deployment.proxy.drops_response_headers))
        self._channel = channel
        self._key = key

    def forwarded(self, headers: Sequence[tuple[str, str]]) -> Headers:
        """A client's headers as they leave, without a key. Raises UnforwardableHeaderError."""
        forwarded = self.request_headers.forwarded(headers)
        if any(not _is_text(value) for _, value in forwarded):
            raise UnforwardableHeaderError
        return forwarded

    def exchange(
        self, method: str, target: str, headers: Headers | HeaderLines, body: bytes | None, receiver: Receiver
    ) -> UpstreamExchange:
        """Sends a request; `receiver` is told of its answer. `headers` are those that may leave, without a key."""
        key = self._key.reveal()
        keyed = headers.with_header("x-api-key", key) if isinstance(headers, HeaderLines) else self._with_key(headers)
        return self._channel.exchange(method, target, keyed, body, receiver)

    async def send(self, method: str, target: str, headers: Headers, body: bytes | None) -> Answer:
        """Sends a request and waits for the head of its answer. Raises EgressRefusedError, UpstreamError."""
        return await self._channel.send(method, target, self._with_key(headers), body)

    def returned(self, headers: Sequence[tuple[str, str]], request_id: str) -> Returned:
        """The upstream's headers that go back to the client, and what decides how the answer is relayed."""
        return self._response_headers.read(headers, request_id)

    def _with_key(self, headers: Headers) -> Headers:
        return (*headers, ("x-api-key", self._key.reveal()))


def _is_text(value: str) -> bool:
    # aiohttp keeps bytes that are no UTF-8 as surrogates and would leave them out when it sends.
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
