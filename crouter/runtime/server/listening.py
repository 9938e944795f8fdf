"""Listens on the operator's address, and stops without cutting off answers that are under way."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from crouter.runtime.front.admission import Admission
from crouter.runtime.front.edge import Edge
from crouter.runtime.front.front import Front
from crouter.runtime.front.passage import Passage
from crouter.runtime.front.relay import Relays
from crouter.runtime.front.telling import Teller
from crouter.runtime.server.app import App
from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.protocol import Server, require_c_parser

BACKLOG: Final = 1024


@asynccontextmanager
async def listening(parts: Parts, grace_seconds: float, inherited: socket.socket | None = None) -> AsyncIterator[str]:
    """Serves until the block ends; gives the address. Answers under way then have `grace_seconds` to finish.

    `inherited` is a socket that listens already, instead of the address of the settings.
    Raises OSError when the address cannot be used, MissingDocumentError, SlowParserError.
    """
    require_c_parser()
    relays = Relays(parts, Passage(parts.deployment, parts.channel, parts.keys, parts.metrics))
    edge, teller = Edge(parts.deployment, parts.settings), Teller(parts.log, parts.metrics)
    server = Server(App(parts, relays, edge, teller).handle, parts.log)
    front = Front(edge=edge, admission=Admission(parts), relays=relays, teller=teller, make_handler=server)
    settings = parts.settings
    loop = asyncio.get_running_loop()
    if inherited is None:
        listener = await loop.create_server(front, settings.host, settings.port, backlog=BACKLOG, reuse_address=True)
    else:
        listener = await loop.create_server(front, sock=inherited, backlog=BACKLOG)
    front.start()
    try:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        if parts.live is not None:
            # They would never end by themselves.
            parts.live.end()
        # What was accepted a moment ago gets its turn before idle connections are closed.
        await asyncio.sleep(0)
        until = time.monotonic() + grace_seconds
        # From here on aiohttp's handlers end their connections when they have answered.
        server.pre_shutdown()
        await front.stop(grace_seconds)
        # aiohttp waits for so long twice: for the handler, and after having cancelled it.
        await server.shutdown(max(0.0, until - time.monotonic()))
