"""Whether the store of shared limits is reached, and only over TLS. Does not sign in and reads nothing."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.doctor.front import TROUBLES
from crouter.runtime.egress.probing import ProbeError, probing, verifying
from crouter.runtime.loopback import is_loopback

NAME: Final = "CROUTER_REDIS_URL"
PORT: Final = 6379


async def _redis(ground: Ground) -> AsyncIterator[Finding]:
    url = urlsplit(ground.text(NAME))
    host = url.hostname or ""
    if not host:
        yield Finding("skipped", f"{NAME} is not set: each machine has limits of its own")
        return
    is_encrypted = url.scheme == "rediss"
    if not is_encrypted and not is_loopback(host):
        yield Finding("failed", f"{NAME}: counts would travel in plain text", "use rediss://")
        return
    tls = verifying(ground.deployment.security.tls_minimum, speaks_http=False) if is_encrypted else None
    try:
        async with probing(host, url.port or PORT, tls) as wire:
            await wire.say("PING")
            # One that wants a password says so, which is an answer as well.
            if not (await wire.line()).startswith(("+PONG", "-NOAUTH", "-NOPERM")):
                raise ProbeError("protocol")
    except ProbeError as error:
        yield Finding("failed", f"at {NAME}, {TROUBLES[error.trouble]}", "check its address and certificate")
    else:
        yield Finding(
            "ok", "the store of shared limits answers" + (" over TLS" if is_encrypted else " on this machine")
        )


CHECKS: Final = (Check("redis", "whether the store of shared limits is reached over TLS", _redis),)
