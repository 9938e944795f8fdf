"""A service behind the edge that tells what reached it, and answers as a test wants it to."""

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from crouter.runtime.edge_signature import EDGE_HEADER, Verdict, verify
from crouter.runtime.secret import Secret

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECRET = "an edge secret of enough characters, for tests"


@dataclass(frozen=True)
class Arrival:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    verdict: Verdict


@dataclass
class Origin:
    """Answers each request with `answer`, and remembers it first."""

    url: str = ""
    arrivals: list[Arrival] = field(default_factory=list)
    answer: Answer | None = None

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}
        verdict = verify(
            request.method, request.raw_path, headers.get(EDGE_HEADER), [Secret("another"), Secret(SECRET)], time.time()
        )
        self.arrivals.append(Arrival(request.method, request.raw_path, headers, verdict))
        return web.Response(text="ok") if self.answer is None else await self.answer(request)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Origin"]:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site.port}"
        try:
            yield self
        finally:
            await runner.cleanup()
