"""Supabase Auth as the identity provider: Google sign-in with PKCE, by the vendor's own client.

Two things of that client are not relied on: its check of tokens, which looks at neither issuer nor audience, and what
it calls the user's metadata, which people can write themselves. Tokens of Google, which the answers may hold, are left
where they are.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from supabase import AsyncClient, AsyncClientOptions, acreate_client
from supabase_auth import AsyncMemoryStorage
from supabase_auth.errors import AuthApiError, AuthError
from supabase_auth.types import AuthResponse, User

from crouter.runtime.egress import UpstreamError
from crouter.runtime.egress.library_client import LibraryClient, read_json
from crouter.runtime.identity.key_set import KeySet
from crouter.runtime.identity.provider import (
    Begun,
    Identity,
    ProviderAwayError,
    RenewalRefusedError,
    SignedIn,
    SignInRefusedError,
)
from crouter.runtime.identity.settings import SupabaseSettings
from crouter.runtime.identity.tokens import TokenVerifier
from crouter.runtime.secret import Secret

AUDIENCE: Final = "authenticated"
UPSTREAM: Final = "google"
_TOO_MANY: Final = 429
_UNKNOWN: Final = 404
_SERVER_ERRORS: Final = 500
_TEXT_CHARS_MAX: Final = 250


class SupabaseProvider:
    """One project of Supabase. `http` reaches its host only."""

    def __init__(self, settings: SupabaseSettings, http: LibraryClient) -> None:
        self._settings = settings
        self._http = http
        self._issuer = f"{settings.url}/auth/v1"
        self._verifier = TokenVerifier(KeySet(self._fetched_keys), self._issuer, AUDIENCE)

    async def begin(self, redirect_to: str) -> Begun:
        """See IdentityProvider."""
        storage = AsyncMemoryStorage()
        with _translated(_is_over):
            client = await self._client(storage)
            begun = await client.auth.sign_in_with_oauth(
                {"provider": "google", "options": {"redirect_to": redirect_to, "scopes": "email profile"}}
            )
        (verifier,) = (value for name, value in storage.storage.items() if name.endswith("-code-verifier"))
        return Begun(begun.url, Secret(verifier))

    async def complete(self, code: str, verifier: Secret[str]) -> SignedIn:
        """See IdentityProvider."""
        with _translated(_is_over):
            client = await self._client()
            # The address is in the code already; the client's type wants it all the same.
            answer = await client.auth.exchange_code_for_session(
                {"auth_code": code, "code_verifier": verifier.reveal(), "redirect_to": ""}
            )
        user, access_token, renewal = _parts_of(answer)
        subject = await self._subject(access_token)
        return SignedIn(_identity(user, subject), renewal)

    async def renew(self, renewal: Secret[str], subject: uuid.UUID) -> Secret[str]:
        """See IdentityProvider."""
        try:
            with _translated(_is_refused):
                client = await self._client()
                answer = await client.auth.refresh_session(renewal.reveal())
            _, access_token, following = _parts_of(answer)
            if await self._subject(access_token) != subject:
                raise RenewalRefusedError
        except SignInRefusedError:
            raise RenewalRefusedError from None
        return following

    async def sign_out(self, renewal: Secret[str]) -> None:
        """See IdentityProvider."""
        try:
            with _translated(_is_refused):
                client = await self._client()
                await client.auth.refresh_session(renewal.reveal())
                await client.auth.sign_out({"scope": "local"})
        except (RenewalRefusedError, SignInRefusedError):
            return  # it has ended already, or never was one

    async def delete_user(self, subject: uuid.UUID) -> None:
        """See IdentityProvider."""
        try:
            with _translated(_is_away):
                client = await acreate_client(
                    self._settings.url, self._settings.secret_key.reveal(), self._options(AsyncMemoryStorage())
                )
                await client.auth.admin.delete_user(str(subject))
        except _UnknownUserError:
            return

    async def _client(self, storage: AsyncMemoryStorage | None = None) -> AsyncClient:
        # One for each operation: a client holds the tokens of whoever it worked for last.
        return await acreate_client(
            self._settings.url, self._settings.key, self._options(storage or AsyncMemoryStorage())
        )

    def _options(self, storage: AsyncMemoryStorage) -> AsyncClientOptions:
        return AsyncClientOptions(
            storage=storage, httpx_client=self._http, auto_refresh_token=False, persist_session=True, flow_type="pkce"
        )

    async def _subject(self, access_token: str) -> uuid.UUID:
        claims = await self._verifier.claims(access_token)
        if claims.get("role") != AUDIENCE or claims.get("is_anonymous") not in (None, False):
            raise SignInRefusedError("refused_token")
        return _uuid(claims["sub"])

    async def _fetched_keys(self) -> Mapping[str, Any]:
        try:
            found = await read_json(self._http, f"{self._issuer}/.well-known/jwks.json")
        except UpstreamError:
            raise ProviderAwayError from None
        if not isinstance(found, dict):
            raise ProviderAwayError
        return found


class _UnknownUserError(Exception):
    """The provider does not know the user."""


def _parts_of(answer: AuthResponse) -> tuple[User, str, Secret[str]]:
    session = answer.session
    if session is None or not session.access_token or not session.refresh_token:
        raise SignInRefusedError("unusable_answer")
    return session.user, session.access_token, Secret(session.refresh_token)


def _identity(user: User, subject: uuid.UUID) -> Identity:
    """E-mail address and name as Google told them. Raises SignInRefusedError."""
    if _uuid(user.id) != subject or user.is_anonymous:
        raise SignInRefusedError("unusable_answer")
    told = next((one.identity_data for one in user.identities or () if one.provider == UPSTREAM), None)
    if told is None or not user.email:
        raise SignInRefusedError("unusable_answer")
    email, name = told.get("email"), told.get("full_name") or told.get("name") or ""
    if not isinstance(email, str) or email.lower() != user.email.lower() or len(email) > _TEXT_CHARS_MAX:
        raise SignInRefusedError("unusable_answer")
    if told.get("email_verified") is not True or user.email_confirmed_at is None:
        raise SignInRefusedError("unverified_email")
    return Identity(subject, email, name[:_TEXT_CHARS_MAX] if isinstance(name, str) else "")


def _uuid(text: object) -> uuid.UUID:
    """An id in the one form that is written; `uuid.UUID` alone would take braces and prefixes as well."""
    try:
        found = uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != str(text).lower() or not found.int:
        raise SignInRefusedError("unusable_answer")
    return found


def _is_over(error: AuthApiError) -> Exception:
    return SignInRefusedError("over")


def _is_refused(error: AuthApiError) -> Exception:
    return RenewalRefusedError()


def _is_away(error: AuthApiError) -> Exception:
    # With a wrong key nobody can be deleted: it has to be tried again once the key is right.
    return _UnknownUserError() if error.status == _UNKNOWN else ProviderAwayError()


@contextmanager
def _translated(refusal: Callable[[AuthApiError], Exception]) -> Iterator[None]:
    """Turns errors of the vendor's client into ours; their texts may quote what was sent."""
    try:
        yield
    except AuthApiError as error:
        is_away = error.status >= _SERVER_ERRORS or error.status == _TOO_MANY
        raise (ProviderAwayError() if is_away else refusal(error)) from None
    except AuthError:
        raise ProviderAwayError from None
    except ValueError:
        # What answered is no session, or names nobody.
        raise SignInRefusedError("unusable_answer") from None
