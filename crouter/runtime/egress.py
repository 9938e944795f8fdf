"""The only place that opens outgoing HTTP connections, so that one place decides where data may go.

Every channel belongs to one declared processor and reaches that processor's declared hosts only. Content has a channel
of its own, which a processor that does not receive content cannot have. The database's driver is the one other way out.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import aiohttp
from aiohttp import ClientRequest, ClientTimeout
from yarl import URL

from crouter.contract.deployment import Deployment
from crouter.contract.destinations import Processor
from crouter.runtime.settings import Settings, is_loopback

CONNECT_SECONDS: Final = 10.0
# Long thinking is silent for many minutes; only a connection that is surely dead is given up.
SILENCE_SECONDS: Final = 3600.0
PIECE_BYTES: Final = 256 * 1024
FIELD_BYTES_MAX: Final = 64 * 1024
_TLS_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_NOT_ADDED: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

Headers = tuple[tuple[str, str], ...]


class EgressRefusedError(Exception):
    """A connection to a host that is not declared for the processor, or of content to one that may not have it."""


class UpstreamError(Exception):
    """The other side could not be reached, or broke off."""


class UpstreamTimeoutError(UpstreamError):
    """The other side was silent for too long."""


class Answer:
    """An answer that has begun: its head, and its body as raw bytes. Closed by whoever opened it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Headers = tuple(response.headers.items())

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        return self._response.headers.get(name)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body's bytes as they come, content coding untouched. Raises UpstreamError."""
        content = self._response.content
        while True:
            with _translated():
                piece = await content.readany()
            if not piece:
                return
            yield piece

    def close(self) -> None:
        """Ends the connection at once, unless the body was read to its end."""
        self._response.close()


class Receiver(Protocol):
    def head(self, status: int, headers: Headers) -> None: ...
    def body(self, data: bytes) -> None: ...
    def flush(self) -> None: ...
    def end(self) -> None: ...
    def broke_off(self, error: UpstreamError) -> None: ...


class UpstreamExchange:
    def __init__(self, channel: "ContentChannel", request: Any, receiver: Receiver) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(channel, request, receiver))
        self._answer: Answer | None = None
        self._open = asyncio.Event()
        self._open.set()

    def cancel(self) -> None:
        self._task.cancel()

    def pause(self) -> None:
        self._open.clear()

    def resume(self) -> None:
        self._open.set()

    async def _run(self, channel: "ContentChannel", request: Any, receiver: Receiver) -> None:
        answer = None
        try:
            answer = await channel.send(*request)
            del request
            receiver.head(answer.status, answer.headers)
            receiver.flush()
            async for piece in answer.pieces():
                receiver.body(piece)
                receiver.flush()
                await self._open.wait()
            receiver.end()
        except UpstreamError as error:
            receiver.broke_off(error)
        finally:
            if answer is not None:
                answer.close()


class ContentChannel:
    """Sends requests, with content, to one origin of one processor that is declared to receive it."""

    def __init__(self, origin: URL, session: aiohttp.ClientSession) -> None:
        self._origin = origin
        self._session = session

    def exchange(
        self, method: str, target: str, headers: Headers, body: bytes | None, receiver: Receiver
    ) -> UpstreamExchange:
        return UpstreamExchange(self, (method, target, headers, body), receiver)

    async def send(self, method: str, target: str, headers: Headers, body: bytes | None) -> Answer:
        """Sends one request and waits for the head of its answer. `target` is a raw path with its query.

        Never repeated, never redirected. Raises EgressRefusedError, UpstreamError.
        """
        assert target.startswith("/"), "the origin is a constant; only the path is given"
        if body is not None:
            headers = (*headers, ("content-length", str(len(body))))
        with _translated():
            response = await self._session.request(
                method,
                URL(str(self._origin) + target, encoded=True),
                headers=headers,
                data=None if body is None else _pieces(body),
                allow_redirects=False,
            )
        return Answer(response)


class Egress:
    """Opens channels to declared processors. `refused` is told the processor's name at every refusal."""

    def __init__(self, deployment: Deployment, settings: Settings, refused: Callable[[str], None]) -> None:
        self._deployment = deployment
        self._settings = settings
        self._refused = refused

    @asynccontextmanager
    async def open_content(self, processor: str, origin: str) -> AsyncIterator[ContentChannel]:
        """A channel that may carry content. Raises EgressRefusedError for any other processor than a declared one."""
        declared = self._deployment.processor(processor)
        if not declared.receives_content:
            self._refused(processor)
            raise EgressRefusedError(f"{declared.policy_path}: does not receive content")
        url = URL(origin).origin()
        connector = _GuardedConnector(
            lambda target: self._may_reach(declared, target),
            lambda: self._refused(processor),
            tls=_tls(self._deployment.security.tls_minimum),
        )
        async with _session(connector) as session:
            yield ContentChannel(url, session)

    def _may_reach(self, processor: Processor, url: URL) -> bool:
        host = url.host or ""
        if url.scheme == "https":
            return processor.owns(host)
        # The simulator of `crouter run` and of tests: on this machine, and only where the operator said so.
        is_override = str(url.origin()) == self._settings.upstream_url
        return not self._settings.production and is_override and is_loopback(host)


class _GuardedConnector(aiohttp.TCPConnector):
    """Connects to allowed addresses only; asked anew for every request, pooled connections included."""

    def __init__(self, allows: Callable[[URL], bool], refused: Callable[[], None], tls: ssl.SSLContext) -> None:
        super().__init__(limit=0, ssl=tls, ttl_dns_cache=60)
        self._allows = allows
        self._tell_refused = refused

    async def connect(
        self,
        req: ClientRequest,
        traces: list[Any],
        timeout: ClientTimeout,  # noqa: ASYNC109  aiohttp's signature
    ) -> aiohttp.connector.Connection:
        if req.proxy is not None or not self._allows(req.url):
            self._tell_refused()
            raise EgressRefusedError("a host that is not declared for this processor")
        return await super().connect(req, traces, timeout)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        requote_redirect_url=False,
        skip_auto_headers=_NOT_ADDED,
        max_line_size=FIELD_BYTES_MAX,
        max_field_size=FIELD_BYTES_MAX,
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
    )


def _tls(minimum: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = _TLS_VERSIONS[minimum]
    return context


async def _pieces(body: bytes) -> AsyncIterator[memoryview]:
    # Written in one go, a large body would hold up every other request.
    view = memoryview(body)
    for start in range(0, len(view), PIECE_BYTES):
        yield view[start : start + PIECE_BYTES]


class _translated:  # noqa: N801  reads as the statement that it is
    """Turns errors of aiohttp into ours, without the addresses and bytes that they quote."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TimeoutError):
            raise UpstreamTimeoutError from None
        if isinstance(error, aiohttp.ClientError | OSError | asyncio.IncompleteReadError):
            raise UpstreamError from None


def drop_patterns(patterns: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Declared header patterns as plain names and prefixes."""
    patterns = tuple(patterns)
    names = tuple(pattern for pattern in patterns if not pattern.endswith("*"))
    prefixes = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    return names, prefixes
