"""The way out for a vendor's library: an httpx client that reaches one declared origin, through our own connections.

Whatever the library asks for, nothing goes to another host, nothing is redirected, no proxy of the environment is used
and no cookie is kept. Answers are read whole, because what such libraries exchange is small.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from yarl import URL

from crouter.contract.deployment import Deployment
from crouter.runtime.egress.channel import ContentChannel
from crouter.runtime.egress.dialling import Dialler, Origin
from crouter.runtime.egress.errors import EgressRefusedError, UpstreamError
from crouter.runtime.egress.guard import client_tls
from crouter.runtime.egress.pool import Bounds, Deadlines, Pool
from crouter.runtime.settings import is_loopback

LibraryClient = httpx.AsyncClient
"""What a vendor's library is given."""

ANSWER_BYTES_MAX: Final = 1024 * 1024
REQUEST_SECONDS: Final = 10.0
# Set by the channel, or about a connection that is not the library's.
_OURS: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


@asynccontextmanager
async def library_client(
    deployment: Deployment, processor: str, origin: str, refused: Callable[[], None], *, production: bool
) -> AsyncIterator[LibraryClient]:
    """A client for one origin of a declared processor; plain http only in development, to this machine.

    `refused` is called at every refusal, and the request fails with EgressRefusedError.
    """
    url = URL(origin).origin()
    declared, host = deployment.processor(processor), url.host or ""
    may_reach = declared.owns(host) if url.scheme == "https" else not production and is_loopback(host)
    tls = client_tls(deployment.security.tls_minimum) if url.scheme == "https" else None
    pool = Pool(
        Dialler(Origin(host, url.port or 0, tls)),
        Deadlines(connect=REQUEST_SECONDS, silence=REQUEST_SECONDS, write=REQUEST_SECONDS, total=2 * REQUEST_SECONDS),
        Bounds(connections=16, waiting=256),
    )
    channel = ContentChannel(pool, url.authority, may_reach=lambda: may_reach, refused=refused)
    try:
        async with httpx.AsyncClient(
            transport=_Transport(channel, url, refused), follow_redirects=False, trust_env=False
        ) as client:
            yield client
    finally:
        await pool.close()


async def read_json(client: LibraryClient, url: str) -> Any:
    """The JSON at an address of the client's origin. Raises UpstreamError for anything but 200 and JSON."""
    try:
        answer = await client.get(url)
        if answer.status_code == httpx.codes.OK:
            return json.loads(answer.content)
    except (httpx.HTTPError, ValueError):
        pass  # told below, without what was answered
    raise UpstreamError from None


class _Transport(httpx.AsyncBaseTransport):
    """Hands requests of httpx to a channel."""

    def __init__(self, channel: ContentChannel, origin: URL, refused: Callable[[], None]) -> None:
        self._channel = channel
        self._origin = origin
        self._refused = refused

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises EgressRefusedError for another origin, httpx.TransportError where no answer came."""
        if URL(str(request.url)).origin() != self._origin:
            self._refused()
            raise EgressRefusedError("a library asked for another host than its own")
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await self._answered(request)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time") from None
        except UpstreamError:
            raise httpx.ConnectError("no answer") from None

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        headers = tuple(pair for pair in request.headers.items() if pair[0].lower() not in _OURS)
        body = await request.aread()
        answer = await self._channel.send(
            request.method, request.url.raw_path.decode("ascii"), headers, body if body else None
        )
        try:
            content = await answer.whole(ANSWER_BYTES_MAX)
        finally:
            answer.close()
        kept = [pair for pair in answer.headers if pair[0].lower() not in _OURS]
        return httpx.Response(answer.status, headers=kept, content=content, request=request)
