"""Judges whether a request came through the edge: the Worker signs each request that it forwards. Does no I/O.

`v1 t=SECONDS, id=32 hex digits, sig=64 hex digits`, where `sig` is the HMAC-SHA-256 of version, time, id, method and
target under a secret that edge and service share. It leaves out the body, which is streamed.
"""

import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, Literal

from crouter.runtime.secret import Secret

EDGE_HEADER: Final = "x-crouter-edge"
AGE_SECONDS_MAX: Final = 60
"""How far apart the clocks of the edge and of the service may be, either way, the journey included."""

REMEMBERED_MAX: Final = 200_000

Verdict = Literal["accepted", "missing", "malformed", "too_old", "too_new", "wrong_signature"]

_FORM: Final = re.compile(r"v1 t=([0-9]{1,12}), id=([0-9a-f]{32}), sig=([0-9a-f]{64})")


class EdgeSignatures:
    """Accepts each signature once. `secret` is the one in use, `retiring` are those that it replaces.

    `clock` gives seconds since 1970.
    """

    def __init__(self, secret: Secret[str], clock: Callable[[], float], retiring: Sequence[Secret[str]] = ()) -> None:
        self._secrets = (secret, *retiring)
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def accepts(self, header: str | None, method: str, target: str) -> bool:
        """Whether the header signs this request, now, and for the first time."""
        now = self._clock()
        if header is None or verify(method, target, header, self._secrets, now) != "accepted":
            return False
        return self._is_first(header, now)

    def _is_first(self, header: str, now: float) -> bool:
        # A signature is good from a minute before its time to a minute after it.
        while self._seen and next(iter(self._seen.values())) < now - 2 * AGE_SECONDS_MAX:
            self._seen.popitem(last=False)
        if header in self._seen:
            return False
        self._seen[header] = now
        if len(self._seen) > REMEMBERED_MAX:
            self._seen.popitem(last=False)
        return True


def verify(method: str, target: str, header: str | None, secrets: Sequence[Secret[str]], now: float) -> Verdict:
    """Whether `header`, the value of `x-crouter-edge`, was made by who knows one of `secrets`, for this request.

    `target` is the path with the query as it stood in the request line, `now` are seconds since 1970. Several headers
    of the name, joined by a comma, are malformed. With no secrets at all nothing is accepted.
    """
    if not header:
        return "missing"
    parts = _FORM.fullmatch(header)
    if parts is None:
        return "malformed"
    seconds, identifier, presented = parts.groups()
    signed = signed_text(seconds, identifier, method, target)
    # Every secret is tried, so that the time taken tells nothing about which of them fits.
    fits = [hmac.compare_digest(_signature(secret, signed), presented) for secret in secrets]
    if not any(fits):
        return "wrong_signature"
    age = now - int(seconds)
    if age > AGE_SECONDS_MAX:
        return "too_old"
    return "too_new" if age < -AGE_SECONDS_MAX else "accepted"


def signed_text(seconds: str, identifier: str, method: str, target: str) -> bytes:
    """What is signed. A line break can stand in none of the parts, so no two requests share a text."""
    return "\n".join(("v1", seconds, identifier, method, target)).encode("utf-8", "surrogateescape")


def _signature(secret: Secret[str], signed: bytes) -> str:
    return hmac.new(secret.reveal().encode(), signed, sha256).hexdigest()
