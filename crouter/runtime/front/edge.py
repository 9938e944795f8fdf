"""Https only: outside development a request is answered only if it came over TLS, ended by the edge or by the service.

The edge proves itself by a signature, and each signature is accepted once. Where there is none, nobody but the service
ends TLS, and every request that reaches it came that way. The same judge serves both ways through the service. What a
page may be told instead is `crouter.runtime.server.transport`.
"""

import time

from crouter.contract.deployment import Deployment
from crouter.runtime.edge_signature import EdgeSignatures
from crouter.runtime.proxy.errors import ErrorReply, permission_denied
from crouter.runtime.settings import Settings


class Edge:
    """Judges how a request came in, and what an answer of ours tells about transport."""

    def __init__(self, deployment: Deployment, settings: Settings) -> None:
        is_encrypted = settings.edge_secret is not None or settings.tls is not None
        assert is_encrypted or not settings.production, "settings refuse production without an edge and without TLS"
        retiring = (settings.edge_secret_retiring,) if settings.edge_secret_retiring else ()
        self._signatures = EdgeSignatures(settings.edge_secret, time.time, retiring) if settings.edge_secret else None
        self.plain_fault = permission_denied(f"this service is reached over https only, at {deployment.identity.url}")
        insists = f"max-age={deployment.security.hsts_seconds}"
        # Where there is https to insist on, answers of our own say so.
        self.own_headers: tuple[tuple[str, str], ...] = (
            (("strict-transport-security", insists),) if settings.production else ()
        )

    def fault(self, signature: str | None, method: str, target: str) -> ErrorReply | None:
        """Why a request came in the wrong way; None if it may go on. A signature that was accepted is used up."""
        if self._signatures is None or self._signatures.accepts(signature, method, target):
            return None
        return self.plain_fault
