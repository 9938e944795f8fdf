"""Lets the Stripe SDK send through our own egress, which reaches declared hosts only.

What the SDK says about this machine - its system, an id of its telemetry, how long requests took - stays here: of its
headers those leave that the request needs.
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from stripe import APIConnectionError, HTTPClient

from crouter.runtime.egress import ContentChannel, EgressRefusedError, UpstreamError

_LEAVING: Final = frozenset(
    {"authorization", "content-type", "idempotency-key", "stripe-version", "stripe-account", "accept"}
)
_ANSWER_BYTES_MAX: Final = 8 * 1024 * 1024


def _away(text: str, *, should_retry: bool) -> APIConnectionError:
    return APIConnectionError(text, should_retry=should_retry)  # type: ignore[no-untyped-call]


class EgressTransport(HTTPClient):
    """One channel to one origin. A request to another origin is refused here already."""

    name = "crouter"

    def __init__(self, channel: ContentChannel, origin: str) -> None:
        super().__init__()
        self._channel = channel
        self._origin = origin

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Raises APIConnectionError, which the SDK tries again; EgressRefusedError, which it does not."""
        if not url.startswith(f"{self._origin}/"):
            raise EgressRefusedError("a request of the SDK to another origin")
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        leaving = tuple((name, value) for name, value in headers.items() if name.lower() in _LEAVING)
        body = post_data.encode() if isinstance(post_data, str) else post_data
        try:
            answer = await self._channel.send(method.upper(), target, (*leaving, ("user-agent", "crouter")), body)
            try:
                content = bytearray()
                async for piece in answer.pieces():
                    content += piece
                    if len(content) > _ANSWER_BYTES_MAX:
                        raise _away("the answer is too large", should_retry=False)
            finally:
                answer.close()
        except UpstreamError:
            raise _away("the payment processor could not be reached", should_retry=True) from None
        return bytes(content), answer.status, {name.lower(): value for name, value in answer.headers}

    async def request_stream_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[AsyncIterable[bytes], int, Mapping[str, str]]:
        """Nothing that we ask for is streamed."""
        raise NotImplementedError

    def sleep_async(self, secs: float) -> Awaitable[None]:
        return asyncio.sleep(secs)

    async def close_async(self) -> None:
        """The channel is closed by whoever opened it."""
