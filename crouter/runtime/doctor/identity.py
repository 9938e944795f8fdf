"""Whether people can sign in: the keys by which Supabase Auth signs are there, and of a kind that can be published."""

import json
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from crouter.runtime.doctor.check import Check, Finding, Ground
from crouter.runtime.doctor.front import TROUBLES
from crouter.runtime.egress.probing import ProbeError, ask_http, verifying

JWKS: Final = "/auth/v1/.well-known/jwks.json"


async def _jwks(ground: Ground) -> AsyncIterator[Finding]:
    url = urlsplit(ground.text("CROUTER_SUPABASE_URL"))
    if not url.hostname:
        yield Finding("skipped", "CROUTER_SUPABASE_URL is not set")
        return
    is_encrypted = url.scheme == "https"
    tls = verifying(ground.deployment.security.tls_minimum) if is_encrypted else None
    port = url.port or (443 if is_encrypted else 80)
    try:
        told = await ask_http(url.hostname, port, JWKS, tls=tls, authority=url.netloc)
    except ProbeError as error:
        yield Finding("failed", f"at CROUTER_SUPABASE_URL, {TROUBLES[error.trouble]}", "check the project's address")
        return
    yield judged_keys(told.status, told.body)


def judged_keys(status: int, body: bytes) -> Finding:
    """Judges the answer at the address of the keys."""
    try:
        # An answer in chunks has their lengths around the JSON.
        said = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
        kinds = {key.get("kty") for key in said["keys"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        kinds = set()
    if status != 200:
        return Finding("failed", f"the keys of Supabase Auth are answered with {status}", "check the project's address")
    if not kinds & {"RSA", "EC", "OKP"}:
        found = "Supabase Auth publishes no key: its tokens cannot be verified here"
        return Finding("failed", found, "switch the project to asymmetric JWT signing keys")
    return Finding("ok", "Supabase Auth publishes the keys that it signs with")


CHECKS: Final = (Check("sign_in", "whether tokens of people can be verified", _jwks),)
