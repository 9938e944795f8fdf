"""What an operator's tools ask: is the process alive, can it work, and the declared counters.

These answer without the edge, because they are asked from inside; the counters answer to this machine only.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from psycopg import sql

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.edge_signature import EDGE_HEADER
from crouter.runtime.metrics import METRICS_CONTENT_TYPE
from crouter.runtime.names import API_KEY, USAGE
from crouter.runtime.proxy.errors import not_found
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, error_reply

_LOCAL: Final = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")

Answerer = Callable[[Exchange], Awaitable[web.StreamResponse]]


class Probes:
    """Health, readiness, metrics."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> tuple[tuple[str, str, Answerer], ...]:
        """Name, path and answerer of each."""
        return (
            ("healthz", "/healthz", self._health),
            ("readyz", "/readyz", self._readiness),
            ("metrics", "/metrics", self._metrics),
        )

    async def _health(self, exchange: Exchange) -> web.StreamResponse:
        return _plain(200, "alive")

    async def _readiness(self, exchange: Exchange) -> web.StreamResponse:
        database = self._parts.database
        try:
            for record in (API_KEY, USAGE):
                await database.rows(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(database.table(record)))
        except DatabaseError:
            return _plain(503, "the database is away or not migrated")
        return _plain(200, f"ready, policy {self._parts.deployment.policy_digest}")

    async def _metrics(self, exchange: Exchange) -> web.StreamResponse:
        if not from_this_machine(exchange.request):
            return error_reply(not_found(), exchange.request_id)
        headers = {"content-type": METRICS_CONTENT_TYPE, "cache-control": "no-store"}
        return Reply(headers=headers, body=self._parts.metrics.exposition())


def from_this_machine(request: web.BaseRequest) -> bool:
    """Whether the connection comes from a loopback address and was not passed on by a proxy."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    passed_on = any(
        name.lower().startswith(("x-forwarded", "forwarded", "cf-", EDGE_HEADER)) for name in request.headers
    )
    return isinstance(peer, tuple) and ipaddress.ip_address(peer[0]).is_loopback and not passed_on


def is_local_name(authority: str) -> bool:
    """Whether a `Host` names this machine and not a public name that leads here."""
    return bool(_LOCAL.fullmatch(authority))


def _plain(status: int, text: str) -> Reply:
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store"}
    return Reply(status=status, headers=headers, body=f"{text}\n".encode())
