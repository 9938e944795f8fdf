"""What a browser carries from the page that sends it to the provider to the page that it comes back to.

Sealed in a cookie that lives for minutes: the proof of RFC 7636, the state that binds the answer to this browser, and
where the person wanted to go. The same cookie says who may take a deletion back, when that is what is asked next.
"""

import hmac
import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crouter.runtime.environment import KeyRing
from crouter.runtime.identity.session_cookie import SealedCookie
from crouter.runtime.secret import Secret

COOKIE: Final = "__Host-crouter_sign_in"
LIFETIME_SECONDS: Final = 600
_STATE_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in under way. `afterwards` is a path of ours."""

    verifier: Secret[str]
    state: str
    afterwards: str


def new_state() -> str:
    """What the provider gives back unread; URL-safe."""
    return secrets.token_urlsafe(_STATE_BYTES)


class FlowCookie:
    """Writes and reads the cookie. What is older than its lifetime is nothing, whatever the browser kept."""

    def __init__(self, keys: KeyRing, clock: Callable[[], float] = time.time) -> None:
        self._cookie = SealedCookie(COOKIE, keys)
        self._clock = clock

    def make(self, flow: Flow) -> str:
        """The value for a sign-in that begins."""
        told = {"verifier": flow.verifier.reveal(), "state": flow.state, "afterwards": flow.afterwards}
        return self._sealed("flow", told)

    def read(self, value: str | None, state: str) -> Flow | None:
        """The sign-in that the answer with `state` belongs to; None if this browser began none such."""
        told = self._opened("flow", value)
        if told is None or not state or not hmac.compare_digest(told["state"].encode(), state.encode()):
            return None
        return Flow(Secret(told["verifier"]), told["state"], told["afterwards"])

    def make_return(self, account: uuid.UUID) -> str:
        """The value for somebody who has signed in to an account that is being deleted."""
        return self._sealed("return", {"account": str(account)})

    def read_return(self, value: str | None) -> uuid.UUID | None:
        """The account whose deletion this browser may take back."""
        told = self._opened("return", value)
        return uuid.UUID(told["account"]) if told is not None else None

    def _sealed(self, kind: str, told: Mapping[str, str]) -> str:
        until = int(self._clock()) + LIFETIME_SECONDS
        return self._cookie.seal(json.dumps({"kind": kind, "until": until, **told}).encode())

    def _opened(self, kind: str, value: str | None) -> Mapping[str, Any] | None:
        plain = self._cookie.open(value) if value else None
        if plain is None:
            return None
        told: Mapping[str, Any] = json.loads(plain)
        return told if told["kind"] == kind and told["until"] > self._clock() else None
