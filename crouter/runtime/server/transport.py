"""Https only: outside development a request is answered only if it came through the edge, which ends TLS.

The edge proves itself by a signature. Pages asked for in another way are refused or redirected as the policy
says; the API is always refused, because a redirected request has given its key away already.
"""

import time
from typing import Final

from aiohttp import web

from crouter.contract.deployment import Deployment
from crouter.runtime.edge_signature import EDGE_HEADER, EdgeSignatures
from crouter.runtime.proxy.errors import permission_denied
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.settings import Settings

_CREDENTIALS: Final = ("x-api-key", "authorization")


class Transport:
    """Judges how a request came in, and what its answer tells about transport."""

    def __init__(self, deployment: Deployment, settings: Settings) -> None:
        self._deployment = deployment
        self._production = settings.production
        retiring = (settings.edge_secret_retiring,) if settings.edge_secret_retiring else ()
        self._signatures = EdgeSignatures(settings.edge_secret, time.time, retiring) if settings.edge_secret else None

    def refusal(self, exchange: Exchange) -> web.StreamResponse | None:
        """The answer to a request that came in plain text or past the edge; None if it may go on."""
        request = exchange.request
        if self._signatures is None:
            assert not self._production, "settings refuse production without an edge"
            return None
        if self._signatures.accepts(request.headers.get(EDGE_HEADER), request.method, request.raw_path):
            return None
        is_page = request.method in ("GET", "HEAD") and not exchange.path.startswith("/v1/")
        holds_key = any(name in request.headers for name in _CREDENTIALS)
        if self._deployment.security.plain_http == "redirect" and is_page and not holds_key:
            location = self._deployment.identity.url.rstrip("/") + exchange.path
            return Reply(status=308, headers={"location": location})
        fault = permission_denied(f"this service is reached over https only, at {self._deployment.identity.url}")
        return error_reply(fault, exchange.request_id)

    def secure(self, reply: web.StreamResponse) -> None:
        """Adds Strict-Transport-Security, where there is https to insist on."""
        if self._production:
            reply.headers["strict-transport-security"] = f"max-age={self._deployment.security.hsts_seconds}"
