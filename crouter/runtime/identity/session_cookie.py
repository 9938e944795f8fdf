"""What a browser holds of a session: one encrypted value, which names the session and carries the token of its forms.

The value is sealed for its cookie, so that no other sealed value passes for it. Whether the session lasts is told by
its row in the database alone.
"""

import base64
import binascii
import secrets
import uuid
from dataclasses import dataclass
from typing import Final

from crouter.runtime.environment import KeyRing
from crouter.runtime.sealing import Place, Sealer, SealError

COOKIE: Final = "__Host-crouter_session"
_ID_BYTES: Final = 16
_TOKEN_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Held:
    """What the cookie says. `form_token` is URL-safe text."""

    session: uuid.UUID
    form_token: str


class SealedCookie:
    """Seals and opens the values of one cookie."""

    def __init__(self, name: str, keys: KeyRing) -> None:
        self._sealer = Sealer(keys)
        # No row: a cookie stands in none.
        self._place = Place("cookie", name, uuid.UUID(int=0))

    def seal(self, plain: bytes) -> str:
        """A value for a cookie, from safe characters."""
        return base64.urlsafe_b64encode(self._sealer.seal(plain, self._place)).decode().rstrip("=")

    def open(self, value: str) -> bytes | None:
        """What was sealed; None for anything that was not sealed for this cookie, or with a key that is gone."""
        try:
            sealed = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
            return self._sealer.open(sealed, self._place)
        except (binascii.Error, ValueError, SealError):
            return None


class SessionCookie:
    """Writes and reads the session's cookie."""

    def __init__(self, keys: KeyRing) -> None:
        self._cookie = SealedCookie(COOKIE, keys)

    def make(self, session: uuid.UUID) -> str:
        """The value for a new session, with a form token of its own."""
        return self._cookie.seal(session.bytes + secrets.token_bytes(_TOKEN_BYTES))

    def read(self, value: str | None) -> Held | None:
        """What a browser sent back; None for anything that we did not make."""
        plain = self._cookie.open(value) if value else None
        if plain is None or len(plain) != _ID_BYTES + _TOKEN_BYTES:
            return None
        token = base64.urlsafe_b64encode(plain[_ID_BYTES:]).decode()
        return Held(uuid.UUID(bytes=plain[:_ID_BYTES]), token)
