"""What somebody sees who has proved who they are: the page they wanted, or why their account is closed.

An account whose deletion was asked for is closed, and can be opened again by whoever signs in to it, as long as the
deletion is not carried out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from crouter.contract.retention import Erase, Period
from crouter.runtime.accounts import NoSuchAccountError
from crouter.runtime.identity.entry import Entered, Entry, Leaving, Refused
from crouter.runtime.identity.flow import COOKIE, FlowCookie
from crouter.runtime.names import ACCOUNT
from crouter.runtime.secret import Secret
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.site.form import open_to_all, read_form, see_other
from crouter.runtime.server.site.notices import HOME, SIGN_IN, Notice, Notices
from crouter.runtime.server.site.own_path import AFTERWARDS
from crouter.runtime.server.site.page import SitePages
from crouter.runtime.server.site.route import SENDING, SiteRoute, exactly
from crouter.runtime.server.site.session_visitors import SessionVisitors
from crouter.runtime.web.cookies import CookieRegister
from crouter.runtime.web.headers import Headers

TAKE_BACK: Final = "/sign-in/take-back"


@dataclass(frozen=True, slots=True)
class _LeavingView:
    asked_on: str
    grace: str
    can_take_back: bool


class Arrival:
    """Begins sessions, and answers what stands in their way."""

    def __init__(self, parts: Parts, visitors: SessionVisitors, entry: Entry) -> None:
        deployment = parts.deployment
        self._parts = parts
        self._visitors = visitors
        self._entry = entry
        self._pages = SitePages(parts)
        self._notices = Notices(parts)
        self._flows = FlowCookie(parts.settings.identity.session_keys)
        self._register = CookieRegister(deployment.web.cookies)
        self._carries_flows = any(cookie.name == COOKIE for cookie in deployment.web.cookies)
        self._rule = next((rule for rule in deployment.retention.erase if rule.owner == ACCOUNT), None)
        contact = deployment.identity.contact
        self._erased = Notice(
            "This account was deleted",
            (
                "It was deleted at its owner's request, and what was in it is gone.",
                f"Nobody can sign in to it any more. For questions write to {contact}.",
            ),
        )
        self._taken = Notice(
            "This address belongs to another account",
            (
                "You are who you say, but an account with your e-mail address exists that was not made by this "
                "sign-in. We never hand an account over because of its address, since addresses change hands.",
                f"Write to {contact}, and we sort it out with you.",
            ),
        )
        self._too_late = Notice(
            "That could not be taken back",
            ("The deletion was carried out meanwhile, or this page was open for too long. Sign in to see which.",),
            (SIGN_IN, HOME),
        )

    def routes(self) -> tuple[SiteRoute, ...]:
        """The way back of somebody who was leaving."""
        return (SiteRoute("sign_in_take_back", exactly(TAKE_BACK), SENDING, open_to_all(self._parts, self._take_back)),)

    async def answer(
        self,
        exchange: Exchange,
        outcome: Entered | Leaving | Refused,
        renewal: Secret[str] | None,
        afterwards: str,
        headers: Headers = (),
    ) -> web.StreamResponse:
        """Signs in, or says why not. `headers` are sent along. Raises DatabaseError."""
        match outcome:
            case Entered():
                begun = await self._visitors.begin(exchange, outcome.account, renewal)
                return see_other(afterwards, *headers, *begun)
            case Leaving():
                return self._leaving(exchange, outcome)
            case Refused(reason="erased"):
                return self._notices.page(exchange, self._erased, status=403, headers=headers)
            case Refused():
                return self._notices.page(exchange, self._taken, status=403, headers=headers)

    def _leaving(self, exchange: Exchange, leaving: Leaving) -> web.StreamResponse:
        view = _LeavingView(_day(leaving.asked_at), _grace(self._rule), self._carries_flows)
        headers: Headers = ()
        if self._carries_flows:
            headers = (("set-cookie", self._register.set(COOKIE, self._flows.make_return(leaving.account))),)
        return self._pages.reply(exchange, "sign_in_leaving.html.jinja", view, status=403, headers=headers)

    async def _take_back(self, exchange: Exchange) -> web.StreamResponse:
        await read_form(exchange, None)
        account = self._flows.read_return(exchange.request.cookies.get(COOKIE))
        over = (("set-cookie", self._register.remove(COOKIE)),) if self._carries_flows else ()
        if account is None:
            return self._notices.page(exchange, self._too_late, status=409, headers=over)
        try:
            await self._entry.take_back(account)
        except NoSuchAccountError:
            return self._notices.page(exchange, self._too_late, status=409, headers=over)
        return see_other(AFTERWARDS, *over, *await self._visitors.begin(exchange, account))


def _day(moment: datetime) -> str:
    return f"{moment:%B} {moment.day}, {moment.year}"


def _grace(rule: Erase | None) -> str:
    return _words(rule.grace) if rule is not None else ""


def _words(period: Period) -> str:
    told = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((period.months, "month"), (period.days, "day"), (period.seconds // 3600, "hour"))
        if count
    ]
    return " and ".join(told) or "no time"
