"""Decides which processor may be reached where, and with what. Opens channels; sends nothing itself."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from yarl import URL

from crouter.contract.deployment import Deployment
from crouter.contract.destinations import Processor
from crouter.runtime.egress.channel import ContentChannel
from crouter.runtime.egress.dialling import Dialler, Origin
from crouter.runtime.egress.errors import EgressRefusedError
from crouter.runtime.egress.pool import Bounds, Deadlines, Pool
from crouter.runtime.settings import Settings, is_loopback

DATA_DEADLINES: Final = Deadlines(connect=5.0, silence=30.0, write=15.0, total=60.0)
DATA_CONNECTIONS_MAX: Final = 32
_TLS_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


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


@asynccontextmanager
async def open_data(
    deployment: Deployment,
    processor: str,
    origin: str,
    *,
    production: bool,
    refused: Callable[[], None] = lambda: None,
    deadlines: Deadlines = DATA_DEADLINES,
) -> AsyncIterator[ContentChannel]:
    """A channel to a declared processor for what it receives other than content.

    Outside of production, plain http to this machine is allowed as well: a stand-in of tests and of development.
    Requests to any other host raise EgressRefusedError, and tell `refused`. Raises KeyError for no such processor.
    """
    declared = deployment.processor(processor)
    url = URL(origin).origin()
    host = url.host or ""
    is_stand_in = not production and url.scheme == "http" and is_loopback(host)
    is_allowed = is_stand_in or (url.scheme == "https" and declared.owns(host))
    tls = client_tls(deployment.security.tls_minimum) if url.scheme == "https" else None
    pool = Pool(Dialler(Origin(host, url.port or 0, tls)), deadlines, Bounds(connections=DATA_CONNECTIONS_MAX))
    channel = ContentChannel(pool, authority=url.authority, may_reach=lambda: is_allowed, refused=refused)
    try:
        yield channel
    finally:
        await pool.close()


def client_tls(minimum: str) -> ssl.SSLContext:
    """As `verifying_tls`; HTTP/1.1 and nothing else is offered."""
    context = verifying_tls(minimum)
    context.set_alpn_protocols(["http/1.1"])
    return context


def verifying_tls(minimum: str) -> ssl.SSLContext:
    """Verifies names and certificates against the system's authorities; `minimum` is a version such as 1.2."""
    context = ssl.create_default_context()
    context.minimum_version = _TLS_VERSIONS[minimum]
    return context
