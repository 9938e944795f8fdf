"""Supabase Auth as the vendor's client meets it, with a Google where people approve or go back by a link.

Shapes are those of the vendor's documentation and client. State is in memory; what tests bend is an attribute.
"""

import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
from aiohttp import web

from tests.contract.supabase_auth.errors import VERSION, VERSION_HEADER, auth_error
from tests.contract.supabase_auth.people import GoogleAccount, User
from tests.contract.supabase_auth.sessions import Refusal, Session, Sessions
from tests.contract.supabase_auth.signing import TOKEN_SECONDS, SigningKeys, access_claims

PUBLISHABLE_KEY = "sb_publishable_contract_0123456789"
SECRET_KEY = "sb_secret_contract_0123456789abcdef"
_CHALLENGE = re.compile(r"[A-Za-z0-9_.~-]{43,128}")


@dataclass(frozen=True)
class Seen:
    """One request that came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class SupabaseAuth:
    """One project. `people` are the Google accounts that the consent page offers."""

    def __init__(self, site_url: str = "", clock: Callable[[], float] | None = None) -> None:
        self.site_url = site_url
        self.url = ""
        self.keys = SigningKeys()
        self.sessions = Sessions(clock) if clock else Sessions()
        self.people: list[GoogleAccount] = [GoogleAccount("1001", "grace@example.org")]
        self.users: dict[uuid.UUID, User] = {}
        self.seen: list[Seen] = []
        self.is_down = False
        """Everything is answered with 503."""
        self.is_failing = False
        """Everything is answered with 500, in the shape of its errors."""
        self.keys_down = False
        self.claims: dict[str, Any] = {}
        """Replaces claims of access tokens."""
        self.access_token: Callable[[dict[str, Any]], str] | None = None
        """Makes access tokens instead of the keys."""
        self.bend: Callable[[dict[str, Any]], Any] | None = None
        """Changes the answers that hold a session."""

    @property
    def issuer(self) -> str:
        return f"{self.url}/auth/v1"

    def app(self) -> web.Application:
        """The application, for a runner."""
        app = web.Application(middlewares=[self._every])
        base = "/auth/v1"
        app.router.add_get(f"{base}/authorize", self._authorize)
        app.router.add_get(f"{base}/callback", self._callback)
        app.router.add_post(f"{base}/token", self._token)
        app.router.add_post(f"{base}/logout", self._logout)
        app.router.add_get(f"{base}/user", self._user)
        app.router.add_get(f"{base}/health", self._health)
        app.router.add_get(f"{base}/.well-known/jwks.json", self._jwks)
        app.router.add_delete(f"{base}/admin/users/{{id}}", self._delete)
        app.router.add_get("/google/consent", self._consent)
        app.router.add_get("/google/answer", self._google_answer)
        return app

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serves on this machine until the block ends; gives the project's address."""
        runner = web.AppRunner(self.app(), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self.url
        finally:
            await runner.cleanup()

    def calls(self, path: str) -> list[Seen]:
        """The requests to a path below /auth/v1."""
        return [seen for seen in self.seen if seen.path == f"/auth/v1{path}"]

    @web.middleware
    async def _every(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(Seen(request.method, request.path, dict(request.query), dict(request.headers.items()), body))
        if self.is_down:
            return web.Response(status=503, text="upstream connect error")
        if self.is_failing:
            return auth_error(request, 500, "unexpected_failure", "Database error")
        needs_key = request.path.startswith("/auth/v1/") and request.path.split("/")[3] in (
            "token",
            "logout",
            "user",
            "admin",
        )
        if needs_key and request.headers.get("apikey") not in (PUBLISHABLE_KEY, SECRET_KEY):
            return web.json_response({"message": "Invalid API key"}, status=401)
        try:
            answer: web.StreamResponse = await handler(request)
        except Refusal as refusal:
            answer = auth_error(request, refusal.status, refusal.code, refusal.message)
        return answer

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        if query.get("provider") != "google":
            return auth_error(request, 400, "validation_failed", "Unsupported provider: provider is not enabled")
        challenge, method = query.get("code_challenge", ""), query.get("code_challenge_method", "")
        if method != "s256" or not _CHALLENGE.fullmatch(challenge):
            message = "PKCE flow requires code_challenge_method and code_challenge"
            return auth_error(request, 400, "validation_failed", message)
        flow = self.sessions.begin(self._redirect(query.get("redirect_to", "")), challenge)
        raise web.HTTPFound(f"/google/consent?{urlencode({'state': flow, 'scope': query.get('scopes', '')})}")

    def _redirect(self, asked: str) -> str:
        """Where people are sent back to: an address of the site, whatever was asked."""
        site, wanted = urlsplit(self.site_url), urlsplit(asked)
        is_own = (site.scheme, site.netloc) == (wanted.scheme, wanted.netloc)
        return asked if asked and is_own else self.site_url

    async def _consent(self, request: web.Request) -> web.StreamResponse:
        state = request.query["state"]
        links = [
            f'<li><a href="/google/answer?{escape(urlencode({"state": state, "as": person.sub}))}">'
            f"Continue as {escape(person.email)}</a></li>"
            for person in self.people
        ]
        cancel = f'<a href="/google/answer?{escape(urlencode({"state": state}))}">Cancel</a>'
        page = f"<!doctype html><title>Choose an account</title><ul>{''.join(links)}</ul><p>{cancel}</p>"
        return web.Response(text=page, content_type="text/html")

    async def _google_answer(self, request: web.Request) -> web.StreamResponse:
        told = {"state": request.query["state"]}
        if "as" in request.query:
            told["code"] = f"google-{request.query['as']}"
        else:
            told["error"] = "access_denied"
        raise web.HTTPFound(f"/auth/v1/callback?{urlencode(told)}")

    async def _callback(self, request: web.Request) -> web.StreamResponse:
        flow = self.sessions.flows.get(request.query.get("state", ""))
        if flow is None:
            raise web.HTTPFound(_with(self.site_url, error="invalid_request", error_code="bad_oauth_state"))
        if "error" in request.query:
            description = "The resource owner denied the request"
            back = _with(flow.redirect_to, error=request.query["error"], error_description=description)
            raise web.HTTPFound(back)
        sub = request.query["code"].removeprefix("google-")
        account = next(person for person in self.people if person.sub == sub)
        user = next((user for user in self.users.values() if user.google.sub == sub), None)
        if user is None:
            user = User(account)
            self.users[user.id] = user
        user.google = account
        if user.banned:
            raise web.HTTPFound(_with(flow.redirect_to, error="access_denied", error_code="user_banned"))
        flow.user = user
        raise web.HTTPFound(_with(flow.redirect_to, code=flow.auth_code))

    async def _token(self, request: web.Request) -> web.StreamResponse:
        told = await request.json()
        match request.query.get("grant_type"):
            case "pkce":
                session = self.sessions.exchange(told.get("auth_code") or "", told.get("code_verifier") or "")
            case "refresh_token":
                session = self.sessions.refresh(told.get("refresh_token") or "")
            case _:
                raise Refusal(400, "validation_failed", "unsupported_grant_type")
        answer = self._shown(session)
        return web.json_response(self.bend(answer) if self.bend else answer, headers={VERSION_HEADER: VERSION})

    def _shown(self, session: Session) -> dict[str, Any]:
        user = session.user.shown()
        claims = access_claims(self.issuer, user, session.id, **self.claims)
        claims = {name: value for name, value in claims.items() if value is not None}
        token = self.access_token(claims) if self.access_token else self.keys.sign(claims)
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS,
            "expires_at": claims.get("exp", claims.get("iat", 0) + TOKEN_SECONDS),
            "refresh_token": session.tokens[-1],
            "user": user,
            "provider_token": "ya29.google-token-canary",
            "provider_refresh_token": "1//google-refresh-canary",
        }

    async def _logout(self, request: web.Request) -> web.StreamResponse:
        session = self._bearer(request)
        self.sessions.end(session.id, request.query.get("scope", "global"))
        return web.Response(status=204)

    async def _user(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._bearer(request).user.shown())

    def _bearer(self, request: web.Request) -> Session:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            head = jwt.get_unverified_header(token)
            key = jwt.PyJWK(self.keys.public(head["kid"]))
            claims = jwt.decode(token, key, algorithms=["ES256"], audience="authenticated")
        except (jwt.PyJWTError, KeyError):
            raise Refusal(403, "bad_jwt", "invalid JWT: unable to parse or verify signature") from None
        session = self.sessions.open.get(uuid.UUID(claims["session_id"]))
        if session is None:
            raise Refusal(403, "session_not_found", "Session from session_id claim in JWT does not exist")
        return session

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"name": "GoTrue", "version": "contract", "description": "a contract server"})

    async def _jwks(self, request: web.Request) -> web.StreamResponse:
        if self.keys_down:
            return web.Response(status=503)
        return web.json_response(self.keys.published())

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {SECRET_KEY}":
            raise Refusal(403, "not_admin", "User not allowed")
        user = self.users.pop(uuid.UUID(request.match_info["id"]), None)
        if user is None:
            raise Refusal(404, "user_not_found", "User not found")
        self.sessions.forget(user)
        return web.json_response({})


def _with(url: str, **fields: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"
