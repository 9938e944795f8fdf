"""Listens on the operator's address, and stops without cutting off answers that are under way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from crouter.runtime.server.app import App
from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.forwarding import Forwarding
from crouter.runtime.server.protocol import Server, require_c_parser

BACKLOG: Final = 1024


@asynccontextmanager
async def listening(parts: Parts, grace_seconds: float) -> AsyncIterator[str]:
    """Serves until the block ends; gives the address. Answers under way then have `grace_seconds` to finish.

    Raises OSError when the address cannot be used, MissingDocumentError, SlowParserError.
    """
    require_c_parser()
    forwarding = Forwarding(parts.deployment, parts.channel, parts.settings.upstream_key)
    app = App(parts, forwarding)
    server = Server(app.handle, parts.log)
    # aiohttp waits for so long twice: for the handler, and after having cancelled it.
    runner = web.ServerRunner(server, shutdown_timeout=grace_seconds)
    await runner.setup()
    try:
        settings = parts.settings
        site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG)
        await site.start()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{site.port}"
    finally:
        # What was accepted a moment ago gets its turn before idle connections are closed.
        await asyncio.sleep(0)
        await runner.cleanup()
