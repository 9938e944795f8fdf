"""What passes to the upstream and back: headers untouched but for what the policy takes out, and our key for theirs."""

from collections.abc import Sequence
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.egress import (
    Answer,
    ContentChannel,
    HeaderLines,
    Receiver,
    UpstreamError,
    UpstreamExchange,
    drop_patterns,
)
from crouter.runtime.metrics import Metrics
from crouter.runtime.proxy.dialects import MESSAGES, Dialect
from crouter.runtime.proxy.headers import Headers, RequestHeaders, ResponseHeaders, Returned
from crouter.runtime.proxy.upstream_keys import Outcome, Report, Taken, Unavailable, UpstreamKeys, report_answer
from crouter.runtime.upstream_health import AttemptCounts

# Between the edge and us only.
OWN_PREFIX: Final = "x-crouter-"


class UnforwardableHeaderError(Exception):
    """A header holds bytes that cannot be sent on as they are."""


class NoKeyError(Exception):
    """No key of ours may be used now."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class Passage:
    """The way to the upstream and back, for one deployment."""

    def __init__(self, deployment: Deployment, channel: ContentChannel, keys: UpstreamKeys, metrics: Metrics) -> None:
        names, prefixes = drop_patterns(deployment.proxy.drops_request_headers)
        self.request_headers = RequestHeaders(names, (*prefixes, OWN_PREFIX))
        self._response_headers = ResponseHeaders(*drop_patterns(deployment.proxy.drops_response_headers))
        self._channel = channel
        self.keys = keys
        self._attempts = AttemptCounts(metrics)

    def forwarded(self, headers: Sequence[tuple[str, str]]) -> Headers:
        """A client's headers as they leave, without a key. Raises UnforwardableHeaderError."""
        forwarded = self.request_headers.forwarded(headers)
        if any(not _is_text(value) for _, value in forwarded):
            raise UnforwardableHeaderError
        return forwarded

    def exchange(
        self,
        method: str,
        target: str,
        headers: Headers | HeaderLines,
        body: bytes | None,
        receiver: Receiver,
        taken: Taken,
        dialect: Dialect = MESSAGES,
    ) -> UpstreamExchange:
        """Sends a request; `receiver` is told of its answer. `headers` are those that may leave, without a key."""
        name, key = dialect.key_header, dialect.key_prefix + taken.key.reveal()
        if isinstance(headers, HeaderLines):
            return self._channel.exchange(method, target, headers.with_header(name, key), body, receiver)
        return self._channel.exchange(method, target, (*headers, (name, key)), body, receiver)

    async def send(self, method: str, target: str, headers: Headers, body: bytes | None) -> Answer:
        """Sends a request that is not metered by a relay, and waits for the head of its answer.

        Raises NoKeyError, EgressRefusedError, UpstreamError.
        """
        taken = self.keys.take()
        if isinstance(taken, Unavailable):
            raise NoKeyError(taken.retry_after_seconds)
        report = Report(Outcome.UNKNOWN)
        try:
            keyed = (*headers, (MESSAGES.key_header, taken.key.reveal()))
            answer = await self._channel.send(method, target, keyed, body)
            report = report_answer(answer.status, None, answer.header("retry-after"))
        except UpstreamError:
            report = Report(Outcome.FAULTY)
            raise
        finally:
            self.give_back(taken, report)
        return answer

    def give_back(self, taken: Taken, report: Report) -> None:
        """An attempt has ended: its key is free, and what it told is remembered and counted."""
        self.keys.give_back(taken, report)
        self._attempts.add(taken, report.outcome)

    def returned(self, headers: Sequence[tuple[str, str]], request_id: str) -> Returned:
        """The upstream's headers that go back to the client, and what decides how the answer is relayed."""
        return self._response_headers.read(headers, request_id)


def _is_text(value: str) -> bool:
    # aiohttp keeps bytes that are no UTF-8 as surrogates and would leave them out when it sends.
    return value.isascii() or not any(0xD800 <= ord(character) <= 0xDFFF for character in value)
