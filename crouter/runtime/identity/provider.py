"""What signing in needs of an identity provider, whoever it is. Names no vendor and does no I/O."""

import uuid
from dataclasses import dataclass
from typing import Literal, Protocol

from crouter.runtime.secret import Secret

Reason = Literal["over", "unverified_email", "unusable_answer", "refused_token"]
"""Why a sign-in is refused: its code was used or is too old; the address is not verified; the answer names nobody; the
token was not made by the provider for us."""


class SignInRefusedError(Exception):
    """Nobody is signed in. `reason` is a word; nothing of the answer is quoted."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class RenewalRefusedError(Exception):
    """The provider says that the sign-in does not hold any more."""


class ProviderAwayError(Exception):
    """The provider cannot be reached, or is not able to answer: the same may succeed later."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is. The subject is what identifies; an e-mail address can change hands. Nothing else is taken."""

    subject: uuid.UUID
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes to sign in, and what proves afterwards that it was this browser (RFC 7636)."""

    url: str
    verifier: Secret[str]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who has signed in. With `renewal` the provider is asked later whether it still holds; each is good once."""

    identity: Identity
    renewal: Secret[str]


class IdentityProvider(Protocol):
    """Signs people in and out, and forgets them. All methods raise ProviderAwayError."""

    async def begin(self, redirect_to: str) -> Begun:
        """Begins a sign-in that leads back to `redirect_to`, an address of ours."""

    async def complete(self, code: str, verifier: Secret[str]) -> SignedIn:
        """Who signed in. Raises SignInRefusedError."""

    async def renew(self, renewal: Secret[str], subject: uuid.UUID) -> Secret[str]:
        """Asks whether the sign-in of `subject` still holds; gives what to ask with next.

        Raises RenewalRefusedError.
        """

    async def sign_out(self, renewal: Secret[str]) -> None:
        """Ends the provider's own session. One that has ended already is no error."""

    async def delete_user(self, subject: uuid.UUID) -> None:
        """Makes the provider forget somebody for good. Somebody it does not know is no error."""
