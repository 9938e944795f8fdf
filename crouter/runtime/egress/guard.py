"""Decides which processor may be reached where, and with what. Opens channels; sends nothing itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from yarl import URL

from crouter.contract.deployment import Deployment
from crouter.contract.destinations import Processor
from crouter.runtime.egress.channel import ContentChannel
from crouter.runtime.egress.dialling import Dialler, Origin
from crouter.runtime.egress.errors import EgressRefusedError
from crouter.runtime.egress.pool import Bounds, Pool
from crouter.runtime.loopback import is_loopback
from crouter.runtime.settings import Settings
from crouter.runtime.tls import client_tls


class Egress:
    """Opens channels to declared processors. `refused` is told the processor's name at every refusal."""

    def __init__(self, deployment: Deployment, settings: Settings, refused: Callable[[str], None]) -> None:
        self._deployment = deployment
        self._settings = settings
        self._refused = refused

    @asynccontextmanager
    async def open_content(self, processor: str, origin: str) -> AsyncIterator[ContentChannel]:
        """A channel that may carry content. Raises EgressRefusedError for any other processor than a declared one."""
        declared = self._deployment.processor(processor)
        if not declared.receives_content:
            self._refused(processor)
            raise EgressRefusedError(f"{declared.policy_path}: does not receive content")
        url = URL(origin).origin()
        tls = client_tls(self._deployment.security.tls_minimum) if url.scheme == "https" else None
        bounds = Bounds(connections=self._settings.requests_max)
        pool = Pool(Dialler(Origin(url.host or "", url.port or 0, tls)), bounds=bounds)
        channel = ContentChannel(
            pool,
            authority=url.authority,
            may_reach=lambda: self._may_reach(declared, url),
            refused=lambda: self._refused(processor),
        )
        try:
            yield channel
        finally:
            await pool.close()

    def _may_reach(self, processor: Processor, url: URL) -> bool:
        host = url.host or ""
        if url.scheme == "https":
            return processor.owns(host)
        # The simulator of `crouter run` and of tests: on this machine, and only where the operator said so.
        is_override = str(url.origin()) == self._settings.upstream_url
        return not self._settings.production and is_override and is_loopback(host)
