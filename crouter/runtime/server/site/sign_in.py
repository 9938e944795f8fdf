"""The pages by which people sign in and out.

In development there is no provider to ask: the development account is signed in by a button, on this machine only, and
the page says so.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiohttp import hdrs, web

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.probes import from_this_machine, is_local_name
from crouter.runtime.server.site.form import BadFormError, CrossSiteError, read_form, see_other, signed_in
from crouter.runtime.server.site.notices import Notice, Notices
from crouter.runtime.server.site.own_path import next_path, own_path
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import READING, SENDING, SiteRoute, exactly
from crouter.runtime.server.site.session_visitors import SessionVisitors
from crouter.runtime.server.site.visitor import Visitor

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"


@dataclass(frozen=True, slots=True)
class _View:
    next: str
    development: bool


class SignIn:
    """Answers /sign-in and /sign-out."""

    def __init__(self, parts: Parts, visitors: SessionVisitors) -> None:
        self._parts = parts
        self._visitors = visitors
        self._pages = SitePages(parts)
        self._notices = Notices(parts)
        self._account = parts.settings.development_account

    def routes(self) -> tuple[SiteRoute, ...]:
        """Signing in by the button exists in development only."""
        development = (SiteRoute("sign_in", exactly(SIGN_IN), SENDING, self._sign_in_here),)
        return (
            SiteRoute("sign_in", exactly(SIGN_IN), READING, self._page),
            SiteRoute("sign_out", exactly(SIGN_OUT), SENDING, signed_in(self._parts, self._sign_out)),
            *(development if self._account is not None else ()),
        )

    async def _page(self, exchange: Exchange) -> web.StreamResponse:
        afterwards = next_path(exchange)
        try:
            if await self._visitors.of(exchange) is not None:
                return see_other(afterwards)
        except DatabaseError:
            return self._notices.database_away(exchange, None)
        view = _View(afterwards, self._account is not None and _is_local(exchange))
        return self._pages.reply(exchange, "sign_in.html.jinja", view)

    async def _sign_in_here(self, exchange: Exchange) -> web.StreamResponse:
        if self._account is None or not _is_local(exchange):
            return self._notices.page(exchange, _ELSEWHERE, status=403)
        try:
            form = await read_form(exchange, None)
            return await self._begun(exchange, self._account, own_path(form.get("next", "")))
        except CrossSiteError:
            return self._notices.cross_site(exchange, None)
        except BadFormError as error:
            return self._notices.bad_form(exchange, None, str(error))
        except DatabaseError:
            return self._notices.database_away(exchange, None)

    async def _begun(self, exchange: Exchange, account: UUID, afterwards: str) -> web.StreamResponse:
        return see_other(afterwards, *await self._visitors.begin(exchange, account))

    async def _sign_out(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        await read_form(exchange, visitor)
        return see_other("/", *await self._visitors.end(visitor))


_ELSEWHERE: Final = Notice(
    "Not from here",
    ("The development account is signed in on the machine that Crouter runs on, at an address of that machine.",),
)


def _is_local(exchange: Exchange) -> bool:
    """Whether somebody on this machine asks for this machine: a foreign name may have been pointed at it."""
    return from_this_machine(exchange.request) and is_local_name(exchange.request.headers.get(hdrs.HOST, ""))
