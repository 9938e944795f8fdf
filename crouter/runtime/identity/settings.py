"""What an operator sets about signing in: the keys of sessions, who operates, and where Supabase Auth is."""

import re
import secrets
import uuid
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from crouter.contract.destinations import Processor
from crouter.runtime.environment import KEY_BYTES, KeyRing, Reader, VersionedKey
from crouter.runtime.secret import Secret

SESSION_KEYS: Final = "CROUTER_SESSION_KEYS"
OPERATORS: Final = "CROUTER_OPERATORS"
SUPABASE_URL: Final = "CROUTER_SUPABASE_URL"
SUPABASE_KEY: Final = "CROUTER_SUPABASE_KEY"
SUPABASE_SECRET_KEY: Final = "CROUTER_SUPABASE_SECRET_KEY"  # noqa: S105  the name of a variable
_KEY: Final = re.compile(r"[!-~]{8,2000}")


@dataclass(frozen=True, slots=True)
class SupabaseSettings:
    """One project of Supabase. `key` is publishable; `secret_key` administers, and only deletes people here."""

    url: str
    key: str
    secret_key: Secret[str]


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """`operators` are ids of accounts. Without `supabase` nobody signs in but the development account."""

    session_keys: KeyRing
    operators: frozenset[uuid.UUID]
    supabase: SupabaseSettings | None


def read_identity(
    reader: Reader, processor: Processor | None, others: tuple[KeyRing, ...], *, production: bool
) -> IdentitySettings:
    """`processor` is who the policy declares for signing in; without one nothing is required of Supabase.

    `others` are rings of other purposes, none of whose keys may be used here. Problems are left with the reader.
    """
    return IdentitySettings(
        session_keys=_session_keys(reader, others, is_required=production and processor is not None),
        operators=_operators(reader),
        supabase=None if processor is None else read_supabase(reader, processor, production=production),
    )


def _session_keys(reader: Reader, others: tuple[KeyRing, ...], *, is_required: bool) -> KeyRing:
    if not is_required and not reader.is_set(SESSION_KEYS):
        # Sessions then end with the process, which is all that trying something out needs.
        return KeyRing((VersionedKey(1, Secret(secrets.token_bytes(KEY_BYTES))),))
    ring = reader.key_ring(SESSION_KEYS)
    if {key.key for key in ring.keys} & {key.key for other in others for key in other.keys}:
        reader.problems.append(f"{SESSION_KEYS}: holds a key of another purpose; each purpose has its own")
    return ring


def _operators(reader: Reader) -> frozenset[uuid.UUID]:
    found = set()
    for part in filter(None, (part.strip() for part in reader.text(OPERATORS).split(","))):
        try:
            found.add(uuid.UUID(part))
        except ValueError:
            reader.problems.append(f"{OPERATORS}: is account ids, as `crouter accounts list` shows them, with commas")
            break
    return frozenset(found)


def read_supabase(reader: Reader, processor: Processor, *, production: bool) -> SupabaseSettings | None:
    """The project; None where nothing is set in development. Problems are left with the reader."""
    names = (SUPABASE_URL, SUPABASE_KEY, SUPABASE_SECRET_KEY)
    if not production and not any(reader.is_set(name) for name in names):
        return None
    url = _project_url(reader, processor, production=production)
    key = reader.required(SUPABASE_KEY, "the project's publishable key (sb_publishable_…)")
    secret_key = reader.required(SUPABASE_SECRET_KEY, "the project's secret key (sb_secret_…), which deletes people")
    for name, value in ((SUPABASE_KEY, key), (SUPABASE_SECRET_KEY, secret_key)):
        if value and not _KEY.fullmatch(value):
            reader.problems.append(f"{name}: is not a key of Supabase")
    if key and key == secret_key:
        reader.problems.append(f"{SUPABASE_KEY}: is the secret key, and the publishable one belongs here")
    return SupabaseSettings(url, key, Secret(secret_key))


def _project_url(reader: Reader, processor: Processor, *, production: bool) -> str:
    text = reader.required(SUPABASE_URL, "the project's address, https://PROJECT.supabase.co")
    try:
        parts = urlsplit(text)
        _ = parts.port  # parsed, and refused, only when it is read
    except ValueError:
        parts = urlsplit("")
    host = parts.hostname or ""
    bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    if bare and parts.scheme == "https" and processor.owns(host):
        return f"https://{parts.netloc}"
    if bare and parts.scheme == "http" and not production and host in ("127.0.0.1", "localhost", "::1"):
        return f"http://{parts.netloc}"
    if text:
        reader.problems.append(
            f"{SUPABASE_URL}: has to be https to a host that policy.yaml declares for {processor.name} "
            "(in development, plain http to this machine is allowed, too)"
        )
    return ""
