"""Answers of the upstream that are read whole before any of them goes back: small objects, lists, errors."""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from crouter.runtime.egress import Answer
from crouter.runtime.proxy.errors import ErrorReply, unavailable
from crouter.runtime.proxy.headers import Headers
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.server.forwarding import NOT_ANSWERED, Forwarding, fault_of
from crouter.runtime.server.protocol import Reply, error_reply

WHOLE_BYTES_MAX: Final = 8 * 1024 * 1024
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that has ended. `headers` are those that go back, without framing."""

    status: int
    headers: Headers
    body: bytes

    def reply(self, body: bytes | None = None) -> web.StreamResponse:
        """The answer for the client; `body` instead of the upstream's bytes."""
        return Reply(status=self.status, headers=self.headers, body=self.body if body is None else body)


async def asked_whole(
    forwarding: Forwarding, exchange: Exchange, method: str, target: str, body: bytes | None = None
) -> Whole | ErrorReply:
    """Asks the upstream on behalf of a request; the whole answer, or what the client is told where there is none."""
    try:
        answer = await forwarding.ask(exchange, method, target, body)
        try:
            return await read_whole(forwarding, exchange, answer)
        finally:
            answer.close()
    except NOT_ANSWERED as error:
        return fault_of(error)


async def read_whole(forwarding: Forwarding, exchange: Exchange, answer: Answer) -> Whole:
    """Reads an answer to its end. Raises UpstreamError."""
    body = await answer.whole(WHOLE_BYTES_MAX)
    headers = tuple(pair for pair in forwarding.returned(answer, exchange) if pair[0].lower() not in _FRAMING)
    return Whole(answer.status, headers, body)


def replied(outcome: Whole | ErrorReply, exchange: Exchange) -> web.StreamResponse:
    """An outcome as the answer to the client."""
    return error_reply(outcome, exchange.request_id) if isinstance(outcome, ErrorReply) else outcome.reply()


def database_away(exchange: Exchange) -> web.StreamResponse:
    """The answer while the database cannot say whose something is."""
    return error_reply(unavailable(), exchange.request_id)
