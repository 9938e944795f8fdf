"""Listens on the operator's address, and stops without cutting off answers that are under way."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from crouter.runtime.ended_accounts import listen_for_ended_accounts
from crouter.runtime.ending import end_task
from crouter.runtime.front.admission import Admission
from crouter.runtime.front.edge import Edge
from crouter.runtime.front.front import Front
from crouter.runtime.front.passage import Passage
from crouter.runtime.front.relay import Relays
from crouter.runtime.front.telling import Teller
from crouter.runtime.server.app import App
from crouter.runtime.server.certificates import Certificates
from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.protocol import Server, require_c_parser
from crouter.runtime.tls import ServerTls
from crouter.runtime.web.cookies import CookieGate

BACKLOG: Final = 1024
FINISH_SECONDS: Final = 5.0
"""For what goes on without its client - writing down whose a batch is - even when the grace time is over."""
HANDSHAKE_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the service answers. `renew_certificate` takes its files anew; without TLS it does nothing."""

    url: str
    renew_certificate: Callable[[], None]


@asynccontextmanager
async def listening(
    parts: Parts, passage: Passage, grace_seconds: float, inherited: socket.socket | None = None
) -> AsyncIterator[Listening]:
    """Serves until the block ends. Answers under way then have `grace_seconds` to finish.

    `inherited` is a socket that listens already, instead of the address of the settings.
    Raises OSError when the address cannot be used, MissingDocumentError, SlowParserError, CertificateError.
    """
    require_c_parser()
    settings, minimum = parts.settings, parts.deployment.security.tls_minimum
    tls = None if settings.tls is None else ServerTls(settings.tls, minimum)
    relays = Relays(parts, passage)
    edge, teller = Edge(parts.deployment, settings), Teller(parts.log, parts.metrics)
    cookies = CookieGate(parts.deployment.web.cookies, parts.metrics, strict=not settings.production)
    app = App(parts, relays, edge, teller, cookies)
    server = Server(app.handle, parts.log, cookies)
    front = Front(edge=edge, admission=Admission(parts), relays=relays, teller=teller, make_handler=server)
    loop = asyncio.get_running_loop()
    context, handshake = (None, None) if tls is None else (tls.context, HANDSHAKE_SECONDS)
    async with AsyncExitStack() as stack:
        if settings.plain_listen is not None:
            turning_away = Server(app.handle_plain, parts.log, cookies)
            await stack.enter_async_context(_listening_plain(turning_away, settings.plain_listen))
        if inherited is None:
            listener = await loop.create_server(
                front,
                settings.host,
                settings.port,
                backlog=BACKLOG,
                reuse_address=True,
                ssl=context,
                ssl_handshake_timeout=handshake,
            )
        else:
            listener = await loop.create_server(
                front, sock=inherited, backlog=BACKLOG, ssl=context, ssl_handshake_timeout=handshake
            )
        renew = await stack.enter_async_context(_renewing(tls, parts))
        front.start()
        ended = listen_for_ended_accounts(parts.deployment, parts.database, relays)
        hearing = loop.create_task(ended, name="ended accounts")
        try:
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            scheme = "http" if tls is None else "https"
            yield Listening(f"{scheme}://{host}:{listener.sockets[0].getsockname()[1]}", renew)
        finally:
            listener.close()
            if parts.live is not None:
                # They would never end by themselves.
                parts.live.end()
            await end_task(hearing)
            # What was accepted a moment ago gets its turn before idle connections are closed.
            await asyncio.sleep(0)
            until = time.monotonic() + grace_seconds
            # From here on aiohttp's handlers end their connections when they have answered.
            server.pre_shutdown()
            await front.stop(grace_seconds)
            # aiohttp waits for so long twice: for the handler, and after having cancelled it.
            await server.shutdown(max(0.0, until - time.monotonic()))
            await relays.finish(max(FINISH_SECONDS, until - time.monotonic()))


@asynccontextmanager
async def _listening_plain(server: Server, address: tuple[str, int]) -> AsyncIterator[None]:
    """Turns plain HTTP away. Several processes share the port, and one that follows another takes it over."""
    host, port = address
    listener = await asyncio.get_running_loop().create_server(server, host, port, backlog=BACKLOG, reuse_port=True)
    try:
        yield
    finally:
        listener.close()
        await server.shutdown(0.0)


@asynccontextmanager
async def _renewing(tls: ServerTls | None, parts: Parts) -> AsyncIterator[Callable[[], None]]:
    if tls is None:
        yield lambda: None
        return
    certificates = Certificates(tls, parts.log)
    watching = asyncio.create_task(certificates.watch())
    try:
        yield certificates.renew
    finally:
        await end_task(watching)
