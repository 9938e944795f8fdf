"""The way to one origin of one processor that is declared to receive content."""

from collections.abc import Callable, Coroutine
from typing import Any

from crouter.runtime.egress.answer import Answer
from crouter.runtime.egress.errors import EgressRefusedError
from crouter.runtime.egress.exchange import Receiver, UpstreamExchange
from crouter.runtime.egress.pool import Pool
from crouter.runtime.egress.request_head import HeaderLines, Headers, request_head


class ContentChannel:
    """Sends requests, with content. Never through a proxy, never repeated, never redirected."""

    def __init__(self, pool: Pool, authority: str, may_reach: Callable[[], bool], refused: Callable[[], None]) -> None:
        self._pool = pool
        self._authority = authority
        # Declarations are frozen and the origin is a constant: the answer cannot change while the channel is open.
        self._is_allowed = may_reach()
        self._tell_refused = refused

    def exchange(
        self, method: str, target: str, headers: Headers | HeaderLines, body: bytes | None, receiver: Receiver
    ) -> UpstreamExchange:
        """Begins a request and returns at once; `receiver` is told about its answer. `target` is a raw path with
        its query; host and length are added to the headers.

        Raises EgressRefusedError.
        """
        if not self._is_allowed:
            self._tell_refused()
            raise EgressRefusedError("a host that is not declared for this processor")
        head = request_head(method, target, self._authority, headers, None if body is None else len(body))
        exchange = UpstreamExchange(receiver, head, body, self._pool.clock(), is_head=method == "HEAD")
        self._pool.start(exchange)
        return exchange

    def send(self, method: str, target: str, headers: Headers, body: bytes | None) -> Coroutine[Any, Any, Answer]:
        """Sends one request; awaited, waits for the head of its answer. Raises EgressRefusedError, UpstreamError."""
        answer = Answer()
        answer.begin(self.exchange(method, target, headers, body, answer))
        return _begun(answer)


async def _begun(answer: Answer) -> Answer:
    # Whoever waits here has nothing of the request.
    await answer.begun()
    return answer
