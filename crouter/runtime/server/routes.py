"""Which handler answers which declared route. What a route is shows in its declaration, not in its name."""

from collections.abc import Awaitable, Callable, Iterator

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.front.relay import Relays
from crouter.runtime.server.batches import Batches
from crouter.runtime.server.completions import read_chat
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import Forwarding
from crouter.runtime.server.messages import MeteredRoute, read_message
from crouter.runtime.server.relay import FreeRoute

Answerer = Callable[[Exchange], Awaitable[web.StreamResponse]]


def answerers(parts: Parts, relays: Relays) -> Iterator[tuple[Answerer, Route]]:
    """The answerer of every declared route. Raises KeyError for batches without a record of their owners."""
    routes, forwarding = parts.deployment.proxy.routes, Forwarding(relays.passage)
    batches = Batches(parts, forwarding, relays.keep) if any(route.owned_by is not None for route in routes) else None
    for route in routes:
        if route.owned_by is not None:
            assert batches is not None, "made above"
            yield batches.answerer(route), route
        elif route.dialect == "openai":
            yield MeteredRoute(parts, relays, read_chat).answer, route
        elif route.metered:
            yield MeteredRoute(parts, relays, read_message).answer, route
        else:
            yield FreeRoute(parts, forwarding, route).answer, route
