"""The pages by which people sign in and out, but for the way to the provider and back.

In development there may be no provider to ask: the development account is then signed in by a button, on this machine
only, and the page says so.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web

from crouter.runtime.identity.entry import Entry
from crouter.runtime.identity.flow import COOKIE as FLOW_COOKIE
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.probes import from_this_machine, is_local_name
from crouter.runtime.server.site.arrival import Arrival
from crouter.runtime.server.site.form import open_to_all, read_form, see_other, signed_in
from crouter.runtime.server.site.notices import Notice, Notices
from crouter.runtime.server.site.own_path import next_path, own_path
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.provider_sign_in import TO_PROVIDER, ProviderSignIn
from crouter.runtime.server.site.route import READING, SENDING, SiteRoute, exactly
from crouter.runtime.server.site.session_visitors import SessionVisitors
from crouter.runtime.server.site.visitor import Visitor

SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"


@dataclass(frozen=True, slots=True)
class _View:
    next: str
    to_provider: str | None
    """Where signing in with the provider begins; None where there is none."""
    development: bool


_ELSEWHERE: Final = Notice(
    "Not from here",
    ("The development account is signed in on the machine that Crouter runs on, at an address of that machine.",),
)


class SignIn:
    """Answers /sign-in and /sign-out, and says which further routes there are."""

    def __init__(self, parts: Parts, visitors: SessionVisitors) -> None:
        self._parts = parts
        self._visitors = visitors
        self._pages = SitePages(parts)
        self._notices = Notices(parts)
        self._account = parts.settings.development_account
        self._entry = Entry(parts.deployment, parts.database)
        self._arrival = Arrival(parts, visitors, self._entry)
        carries_flows = any(cookie.name == FLOW_COOKIE for cookie in parts.deployment.web.cookies)
        provider = parts.identity if carries_flows else None
        self._provided = ProviderSignIn(parts, provider, self._entry, self._arrival) if provider is not None else None

    def routes(self) -> tuple[SiteRoute, ...]:
        """Only what there is: the provider's pages with a provider, the button with a development account."""
        parts = self._parts
        here = (SiteRoute("sign_in", exactly(SIGN_IN), SENDING, open_to_all(parts, self._here)),)
        return (
            SiteRoute("sign_in", exactly(SIGN_IN), READING, open_to_all(parts, self._page)),
            SiteRoute("sign_out", exactly(SIGN_OUT), SENDING, signed_in(parts, self._sign_out)),
            *self._arrival.routes(),
            *(self._provided.routes() if self._provided is not None else ()),
            *(here if self._account is not None else ()),
        )

    async def _page(self, exchange: Exchange) -> web.StreamResponse:
        afterwards = next_path(exchange)
        if await self._visitors.of(exchange) is not None:
            return see_other(afterwards)
        to_provider = TO_PROVIDER if self._provided is not None else None
        view = _View(afterwards, to_provider, self._account is not None and _is_local(exchange))
        return self._pages.reply(exchange, "sign_in.html.jinja", view)

    async def _here(self, exchange: Exchange) -> web.StreamResponse:
        if self._account is None or not _is_local(exchange):
            return self._notices.page(exchange, _ELSEWHERE, status=403)
        form = await read_form(exchange, None)
        outcome = await self._entry.known(self._account)
        return await self._arrival.answer(exchange, outcome, None, own_path(form.get("next", "")))

    async def _sign_out(self, exchange: Exchange, visitor: Visitor) -> web.StreamResponse:
        await read_form(exchange, visitor)
        return see_other("/", *await self._visitors.end(visitor))


def _is_local(exchange: Exchange) -> bool:
    """Whether somebody on this machine asks for this machine: a foreign name may have been pointed at it."""
    return from_this_machine(exchange.request) and is_local_name(exchange.request.headers.get(hdrs.HOST, ""))
