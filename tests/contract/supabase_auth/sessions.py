"""Sign-ins under way, sessions and refresh tokens of the contract server, by the rules of Supabase Auth.

Source: the documentation of PKCE flows and of sessions (refresh tokens are good once; one used again after the
interval ends its whole session), and the vendor's published source for the codes of errors.
"""

import base64
import hashlib
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.contract.supabase_auth.people import User

REUSE_SECONDS = 10.0
FLOW_SECONDS = 300.0


class Refusal(Exception):  # noqa: N818  an answer, not a fault
    """An error answer: status, code, words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass
class Flow:
    """A row of auth.flow_state."""

    redirect_to: str
    challenge: str
    began: float
    auth_code: str = field(default_factory=lambda: str(uuid.uuid4()))
    user: User | None = None


@dataclass
class Session:
    """A row of auth.sessions, with its refresh tokens from the first to the last."""

    user: User
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    tokens: list[str] = field(default_factory=list)
    used_at: dict[str, float] = field(default_factory=dict)

    def issue(self) -> str:
        """A new refresh token."""
        self.tokens.append(secrets.token_urlsafe(9))
        return self.tokens[-1]


class Sessions:
    """All that is under way and all that lasts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.flows: dict[str, Flow] = {}
        self.open: dict[uuid.UUID, Session] = {}

    def begin(self, redirect_to: str, challenge: str) -> str:
        """The id of a new flow."""
        identifier = str(uuid.uuid4())
        self.flows[identifier] = Flow(redirect_to, challenge, self._clock())
        return identifier

    def exchange(self, code: str, verifier: str) -> Session:
        """The session for a code; each is good once. Raises Refusal."""
        if not code or not verifier:
            message = "invalid request: both auth code and code verifier should be non-empty"
            raise Refusal(400, "validation_failed", message)
        found = next(((i, f) for i, f in self.flows.items() if f.auth_code == code and f.user is not None), None)
        if found is None:
            raise Refusal(404, "flow_state_not_found", "invalid flow state, no valid flow state found")
        identifier, flow = found
        if self._clock() - flow.began > FLOW_SECONDS:
            raise Refusal(403, "flow_state_expired", "invalid flow state, flow state has expired")
        if _challenge(verifier) != flow.challenge:
            message = "code challenge does not match previously saved code verifier"
            raise Refusal(400, "bad_code_verifier", message)
        del self.flows[identifier]
        assert flow.user is not None
        session = Session(flow.user)
        session.issue()
        self.open[session.id] = session
        return session

    def refresh(self, token: str) -> Session:
        """The session after its token was exchanged for a new one. Raises Refusal."""
        session = next((s for s in self.open.values() if token in s.tokens), None)
        if session is None:
            raise Refusal(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        if session.user.banned:
            raise Refusal(400, "user_banned", "Invalid Refresh Token: User Banned")
        now = self._clock()
        if token != session.tokens[-1]:
            is_parent = token == session.tokens[-2]
            if is_parent and now - session.used_at[token] <= REUSE_SECONDS:
                return session  # whoever lost the answer gets the same one again
            del self.open[session.id]
            raise Refusal(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
        session.used_at[token] = now
        session.issue()
        return session

    def end(self, session: uuid.UUID, scope: str) -> None:
        """Ends one session, or all of its user's."""
        ended = self.open.get(session)
        for other in list(self.open.values()):
            is_same = other.id == session
            others = ended is not None and other.user is ended.user and scope in ("global", "others")
            if (is_same and scope != "others") or (others and not is_same):
                del self.open[other.id]

    def forget(self, user: User) -> None:
        """Ends all that is a user's."""
        self.open = {key: session for key, session in self.open.items() if session.user is not user}
        self.flows = {key: flow for key, flow in self.flows.items() if flow.user is not user}


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
