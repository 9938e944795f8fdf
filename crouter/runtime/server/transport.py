"""Https only: outside development a request is answered only if it came over TLS, ended by the edge or by the service.

Who came how is judged by `crouter.runtime.front.edge`. Pages asked for in another way are refused or redirected as the
policy says; the API is always refused, because a redirected request has given its key away already.
"""

from typing import Final

from aiohttp import web

from crouter.contract.deployment import Deployment
from crouter.runtime.edge_signature import EDGE_HEADER
from crouter.runtime.front.edge import Edge
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.server.protocol import Reply, error_reply

_CREDENTIALS: Final = ("x-api-key", "authorization")


class Transport:
    """Judges how a request came in, and what its answer tells about transport."""

    def __init__(self, deployment: Deployment, edge: Edge) -> None:
        self._deployment = deployment
        self._edge = edge

    def refusal(self, exchange: Exchange) -> web.StreamResponse | None:
        """The answer to a request that came in plain text or past the edge; None if it may go on."""
        request = exchange.request
        fault = self._edge.fault(request.headers.get(EDGE_HEADER), request.method, request.raw_path)
        return None if fault is None else self._refused(exchange, fault)

    def plain(self, exchange: Exchange) -> web.StreamResponse:
        """The answer to a request in plain text where the service itself speaks TLS."""
        return self._refused(exchange, self._edge.plain_fault)

    def secure(self, reply: web.StreamResponse) -> None:
        """Adds Strict-Transport-Security, where there is https to insist on."""
        reply.headers.extend(self._edge.own_headers)

    def _refused(self, exchange: Exchange, fault: ErrorReply) -> web.StreamResponse:
        """A page is sent on to https where the policy says so; everything else gets the fault."""
        request = exchange.request
        is_page = request.method in ("GET", "HEAD") and not exchange.path.startswith("/v1/")
        holds_key = any(name in request.headers for name in _CREDENTIALS)
        if self._deployment.security.plain_http == "redirect" and is_page and not holds_key:
            location = self._deployment.identity.url.rstrip("/") + exchange.path
            return Reply(status=308, headers={"location": location})
        return error_reply(fault, exchange.request_id)
