"""Finds out by the session's cookie who a request comes from, and makes the headers that begin and end a session."""

import uuid
from datetime import timedelta

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.identity.provider import IdentityProvider
from crouter.runtime.identity.renewals import Renewals
from crouter.runtime.identity.session_cookie import COOKIE, Held, SessionCookie
from crouter.runtime.identity.sessions import Sessions
from crouter.runtime.identity.settings import IdentitySettings
from crouter.runtime.logs import Log
from crouter.runtime.names import SESSION
from crouter.runtime.secret import Secret
from crouter.runtime.server.exchange import Exchange
from crouter.runtime.server.site.visitor import Visitor, Visitors
from crouter.runtime.web.cookies import CookieRegister
from crouter.runtime.web.headers import Headers


class NoVisitors:
    """Nobody ever, where the policy keeps no sessions."""

    async def of(self, exchange: Exchange) -> Visitor | None:
        """None."""
        del exchange
        return None

    async def close(self) -> None:
        """Nothing to wait for."""


class SessionVisitors:
    """People with a session that lasts."""

    def __init__(
        self,
        deployment: Deployment,
        database: Database,
        settings: IdentitySettings,
        provider: IdentityProvider | None,
        log: Log,
    ) -> None:
        self._cookie = SessionCookie(settings.session_keys)
        self._register = CookieRegister(deployment.web.cookies)
        self._operators = settings.operators
        self._sessions = Sessions(deployment, database, settings.session_keys, _lifetime(deployment))
        self._renewals = Renewals(self._sessions, provider, log) if provider is not None else None

    async def of(self, exchange: Exchange) -> Visitor | None:
        """The visitor, None for nobody that is signed in. Raises DatabaseError."""
        held = self._held(exchange)
        found = await self._sessions.lasting(held.session) if held is not None else None
        if held is None or found is None:
            return None
        renewals = self._renewals if found.is_due else None
        if renewals is not None and not await renewals.still_holds(held.session, found.account):
            return None
        return Visitor(found.account, held.session, held.form_token, found.account in self._operators)

    async def begin(self, exchange: Exchange, account: uuid.UUID, renewal: Secret[str] | None = None) -> Headers:
        """Signs somebody in, in place of whoever that browser was: the id is new, and the old one ends.

        Gives the headers of the answer. Raises DatabaseError.
        """
        held = self._held(exchange)
        if held is not None:
            await self._end(held.session)
        session = await self._sessions.begin(account, renewal)
        return (("set-cookie", self._register.set(COOKIE, self._cookie.make(session))),)

    async def end(self, visitor: Visitor) -> Headers:
        """Signs somebody out on the server and in the browser. Raises DatabaseError."""
        await self._end(visitor.session)
        return (("set-cookie", self._register.remove(COOKIE)),)

    async def close(self) -> None:
        """Waits a moment for what the provider is being told."""
        if self._renewals is not None:
            await self._renewals.close()

    async def _end(self, session: uuid.UUID) -> None:
        renewal = await self._sessions.end(session)
        if renewal is not None and self._renewals is not None:
            self._renewals.end(renewal)

    def _held(self, exchange: Exchange) -> Held | None:
        return self._cookie.read(exchange.request.cookies.get(COOKIE))


def visitors_of(
    deployment: Deployment,
    database: Database,
    settings: IdentitySettings,
    provider: IdentityProvider | None,
    log: Log,
) -> Visitors:
    """People can sign in where the policy declares the record of sessions and their cookie."""
    records = {record.name for record in deployment.records}
    cookies = {cookie.name for cookie in deployment.web.cookies}
    if SESSION in records and COOKIE in cookies:
        return SessionVisitors(deployment, database, settings, provider, log)
    return NoVisitors()


def _lifetime(deployment: Deployment) -> timedelta:
    seconds = next(cookie.max_age_seconds for cookie in deployment.web.cookies if cookie.name == COOKIE)
    # A cookie of the browser's own session has no age; the row still has to end.
    return timedelta(seconds=seconds) if seconds is not None else timedelta(days=1)
