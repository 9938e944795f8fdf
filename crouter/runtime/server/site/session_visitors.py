"""Finds out by the session's cookie who a request comes from, and makes the headers that begin and end a session."""

import uuid
from datetime import timedelta

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.identity.session_cookie import COOKIE, Held, SessionCookie
from crouter.runtime.identity.sessions import Sessions
from crouter.runtime.identity.settings import IdentitySettings
from crouter.runtime.names import SESSION
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


class SessionVisitors:
    """People with a session that lasts."""

    def __init__(self, deployment: Deployment, database: Database, settings: IdentitySettings) -> None:
        self._cookie = SessionCookie(settings.session_keys)
        self._register = CookieRegister(deployment.web.cookies)
        self._operators = settings.operators
        self._sessions = Sessions(deployment, database, _lifetime(deployment))

    async def of(self, exchange: Exchange) -> Visitor | None:
        """The visitor, None for nobody that is signed in. Raises DatabaseError."""
        held = self._held(exchange)
        account = await self._sessions.account_of(held.session) if held is not None else None
        if held is None or account is None:
            return None
        return Visitor(account, held.session, held.form_token, account in self._operators)

    async def begin(self, exchange: Exchange, account: uuid.UUID) -> Headers:
        """Signs somebody in, in place of whoever that browser was: the id is new, and the old one ends.

        Gives the headers of the answer. Raises DatabaseError.
        """
        held = self._held(exchange)
        session = await self._sessions.begin(account, held.session if held is not None else None)
        return (("set-cookie", self._register.set(COOKIE, self._cookie.make(session))),)

    async def end(self, visitor: Visitor) -> Headers:
        """Signs somebody out on the server and in the browser. Raises DatabaseError."""
        await self._sessions.end(visitor.session)
        return self.forgotten

    @property
    def forgotten(self) -> Headers:
        """The headers by which a browser forgets its session."""
        return (("set-cookie", self._register.remove(COOKIE)),)

    def _held(self, exchange: Exchange) -> Held | None:
        return self._cookie.read(exchange.request.cookies.get(COOKIE))


def visitors_of(deployment: Deployment, database: Database, settings: IdentitySettings) -> Visitors:
    """People can sign in where the policy declares the record of sessions and their cookie."""
    records = {record.name for record in deployment.records}
    cookies = {cookie.name for cookie in deployment.web.cookies}
    if SESSION in records and COOKIE in cookies:
        return SessionVisitors(deployment, database, settings)
    return NoVisitors()


def _lifetime(deployment: Deployment) -> timedelta:
    seconds = next(cookie.max_age_seconds for cookie in deployment.web.cookies if cookie.name == COOKIE)
    # A cookie of the browser's own session has no age; the row still has to end.
    return timedelta(seconds=seconds) if seconds is not None else timedelta(days=1)
