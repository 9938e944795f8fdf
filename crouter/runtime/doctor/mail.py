"""Whether the mail server is reached, and only over TLS. Sends no mail and does not sign in."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.doctor.front import TROUBLES
from crouter.runtime.egress.probing import ProbeError, Wire, probing, verifying
from crouter.runtime.loopback import is_loopback

NAME: Final = "CROUTER_SMTP_URL"
_PORTS: Final = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}


async def _smtp(ground: Ground) -> AsyncIterator[Finding]:
    url = urlsplit(ground.text(NAME))
    host = url.hostname or ""
    if not host:
        yield Finding("skipped", f"{NAME} is not set")
        return
    if url.scheme not in _PORTS:
        yield Finding("failed", f"{NAME}: is no smtps:// or smtp+starttls:// address", "see docs/operator.md")
        return
    if url.scheme == "smtp" and not is_loopback(host):
        yield Finding("failed", f"{NAME}: mails would leave in plain text", "use smtps:// or smtp+starttls://")
        return
    tls = verifying(ground.deployment.security.tls_minimum, speaks_http=False)
    try:
        async with probing(host, url.port or _PORTS[url.scheme], tls if url.scheme == "smtps" else None) as wire:
            await _greeted(wire, tls if url.scheme == "smtp+starttls" else None)
    except ProbeError as error:
        yield Finding("failed", f"at {NAME}, {TROUBLES[error.trouble]}", "check its name, port and certificate")
    else:
        how = "on this machine" if url.scheme == "smtp" else "over TLS"
        yield Finding("ok", f"the mail server answers {how}")


async def _greeted(wire: Wire, tls: ssl.SSLContext | None) -> None:
    """Reads the greeting, and changes to TLS if a context is given. Raises ProbeError."""
    if not (await wire.line()).startswith("220"):
        raise ProbeError("protocol")
    if tls is not None:
        await wire.say("EHLO localhost")
        while (line := await wire.line()).startswith("250-"):
            pass
        await wire.say("STARTTLS")
        if not line.startswith("250") or not (await wire.line()).startswith("220"):
            raise ProbeError("tls")
        await wire.writer.start_tls(tls)
    await wire.say("QUIT")
    await asyncio.wait_for(wire.line(), 5)


CHECKS: Final = (Check("mail", "whether the mail server is reached over TLS", _smtp),)
