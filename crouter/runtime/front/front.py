"""What all connections share: the parts that judge and forward, the clock, and the way to stop."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final, cast

from crouter.contract.traffic import Route
from crouter.runtime.front.admission import Admission
from crouter.runtime.front.answers import Dates
from crouter.runtime.front.connection import Connection
from crouter.runtime.front.edge import Edge
from crouter.runtime.front.head import HeadReader
from crouter.runtime.front.relay import Relays
from crouter.runtime.front.telling import Teller

SWEEP_SECONDS: Final = 1.0


def is_served(route: Route) -> bool:
    """Whether requests to a route are messages: read by `proxy.request`, metered, and over with their answer."""
    is_message = route.metered and route.dialect == "anthropic" and route.owned_by is None
    return is_message and route.method == "POST" and "{" not in route.path


class Front:
    """Makes a `Connection` for every client. `make_handler` gives aiohttp's handler for what is not plain."""

    def __init__(
        self,
        *,
        edge: Edge,
        admission: Admission,
        relays: Relays,
        teller: Teller,
        make_handler: Callable[[], asyncio.Protocol],
    ) -> None:
        self.edge = edge
        self.admission = admission
        self.relays = relays
        self.teller = teller
        self.log = relays.parts.log
        self.make_handler = make_handler
        proxy = relays.parts.deployment.proxy
        self.body_bytes_max = proxy.body_bytes_max
        self.routes = {route.path: route.name for route in proxy.routes if is_served(route)}
        """Names of the routes that are served here, by path."""
        self.heads = HeadReader(self.routes, relays.passage.request_headers)
        self.connections: set[Connection] = set()
        # Seconds of the monotonic clock, as of the last sweep: exact enough for deadlines, and free.
        self.now = time.monotonic()
        self._dates = Dates()
        self._sweep: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Event | None = None

    def __call__(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, Connection(self))  # by its methods

    def date(self) -> str:
        """The line of the `date` header, now."""
        return self._dates.at(time.time())

    def gone(self, connection: Connection) -> None:
        """A connection has ended, or is aiohttp's now."""
        self.connections.discard(connection)
        if self._all_gone is not None and not self.connections:
            self._all_gone.set()

    def start(self) -> None:
        """Begins to look for connections that have waited long enough."""
        self.now = time.monotonic()
        self._sweep = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._look)

    async def stop(self, grace_seconds: float) -> None:
        """Ends idle connections, waits so long for the others, and then ends them, too."""
        for connection in list(self.connections):
            connection.close()
        if self.connections:
            self._all_gone = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), grace_seconds)
        for connection in list(self.connections):
            connection.abort()
        # `connection_lost` is called in the next iteration; what it settles counts as under way.
        await asyncio.sleep(0)
        if self._sweep is not None:
            self._sweep.cancel()

    def _look(self) -> None:
        self.now = now = time.monotonic()
        for connection in [late for late in self.connections if late.deadline < now]:
            connection.expire()
        self._sweep = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._look)
