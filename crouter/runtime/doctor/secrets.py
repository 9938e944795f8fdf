"""Whether secrets are strong, differ from one another, and lie in files that nobody else can read."""

import base64
import binascii
import stat
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from crouter.runtime.doctor.check import Check, Finding, Ground

KEY_RINGS: Final = ("CROUTER_SEALING_KEYS", "CROUTER_LOOKUP_KEYS", "CROUTER_RECEIPT_KEYS", "CROUTER_SESSION_KEYS")
PASSWORDS: Final = (
    "CROUTER_EDGE_SECRET",
    "CROUTER_EDGE_SECRET_RETIRING",
    "CROUTER_STRIPE_WEBHOOK_SECRET",
    "CROUTER_OPENPANEL_CLIENT_SECRET",
    "CROUTER_SUPABASE_SECRET_KEY",
    "CROUTER_STRIPE_KEY",
    "ANTHROPIC_API_KEY",
)
ADDRESSES: Final = ("DATABASE_URL", "CROUTER_SMTP_URL", "CROUTER_REDIS_URL")
# 32 random bytes have 30 different values on average, and fewer than 20 about once in 10**9 times.
DIFFERENT_BYTES_MIN: Final = 20
DIFFERENT_CHARS_MIN: Final = 10
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


async def _strength(ground: Ground) -> AsyncIterator[Finding]:
    weak = [name for name in KEY_RINGS for part in _parts(ground, name) if len(set(_key(part))) < DIFFERENT_BYTES_MIN]
    edge = ground.text("CROUTER_EDGE_SECRET")
    if edge and len(set(edge)) < DIFFERENT_CHARS_MIN:
        weak.append("CROUTER_EDGE_SECRET")
    for name in dict.fromkeys(weak):
        yield Finding("failed", f"{name}: holds a key that is not random", "make one with `openssl rand -base64 32`")
    if not weak:
        yield Finding("ok", "no key looks like anything but random bytes")


async def _distinct(ground: Ground) -> AsyncIterator[Finding]:
    users: defaultdict[str, set[str]] = defaultdict(set)
    for name in KEY_RINGS:
        for part in _parts(ground, name):
            users[_key(part).hex()].add(name)
    for name in PASSWORDS:
        for value in filter(None, (part.strip() for part in ground.text(name).split(","))):
            users[value].add(name)
    shared = sorted({tuple(sorted(names)) for names in users.values() if len(names) > 1})
    for names in shared:
        yield Finding("failed", f"{' and '.join(names)}: hold the same secret", "give each purpose a secret of its own")
    if not shared:
        yield Finding("ok", "no secret serves two purposes")


async def _files(ground: Ground) -> AsyncIterator[Finding]:
    given = [(f"{name}_FILE", ground.environ.get(f"{name}_FILE", "")) for name in (*KEY_RINGS, *PASSWORDS, *ADDRESSES)]
    given.append(("CROUTER_TLS_KEY", ground.environ.get("CROUTER_TLS_KEY", "")))
    named = [(name, Path(path.strip())) for name, path in given if path.strip()]
    if not named:
        yield Finding("skipped", "no secret is read from a file")
    for name, path in named:
        try:
            is_open = bool(path.stat().st_mode & _OTHERS)
        except OSError:
            yield Finding("failed", f"{name}: the file cannot be found", "give the path of a file that is there")
            continue
        if is_open:
            yield Finding(
                "failed", f"{name}: others on this machine may read the file", "chmod 600 for the service's user"
            )
        else:
            yield Finding("ok", f"{name}: only its owner can read the file")


def _parts(ground: Ground, name: str) -> list[str]:
    return [part.strip() for part in ground.text(name).split(",") if part.strip()]


def _key(part: str) -> bytes:
    """The key in VERSION:BASE64; what has another form is told by the check of settings."""
    encoded = part.partition(":")[2].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True) or bytes(range(32))
    except binascii.Error:
        return bytes(range(32))


CHECKS: Final = (
    Check("secret_strength", "whether keys are random", _strength),
    Check("secrets_distinct", "whether each secret serves one purpose", _distinct),
    Check("secret_files", "whether files of secrets are private", _files),
)
