"""aiohttp on uvloop with what can be left out left out, `python -m bench.proxying.peers.tuned ORIGIN`.

The low-level server instead of an application, raw headers, no cookie jar, no timeouts, small answers in one write.
No key, no limits, no metering, no database, no log. Prints its port.
"""

import asyncio
import logging
import sys

import aiohttp
import uvloop
from aiohttp import web
from multidict import CIMultiDict

_HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "transfer-encoding", "te", "upgrade"})
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


async def _serve(origin: str) -> None:
    logging.disable()
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=600)
    async with aiohttp.ClientSession(
        connector=connector,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=_AUTOMATIC,
    ) as session:

        async def forward(request: web.BaseRequest) -> web.StreamResponse:
            headers = CIMultiDict(
                (name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP
            )
            body = await request.read()
            async with session.request(request.method, origin + request.raw_path, headers=headers, data=body) as answer:
                kept = CIMultiDict(
                    (name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP
                )
                if answer.content_length is not None:
                    return web.Response(status=answer.status, headers=kept, body=await answer.read())
                reply = web.StreamResponse(status=answer.status, headers=kept)
                await reply.prepare(request)
                async for piece in answer.content.iter_any():
                    await reply.write(piece)
                await reply.write_eof()
                return reply

        server = web.Server(forward, access_log=None)
        runner = web.ServerRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
