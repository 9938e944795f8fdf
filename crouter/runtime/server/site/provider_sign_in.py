"""The way to the identity provider and back.

A link leads there, and no form: a page's `form-action` holds for what a form is redirected to as well. What the browser
brings back counts only together with the sealed cookie that it was sent away with, and once.
"""

from typing import Final
from urllib.parse import parse_qsl

from aiohttp import hdrs, web

from crouter.runtime.identity.entry import Entry
from crouter.runtime.identity.flow import COOKIE, Flow, FlowCookie, new_state
from crouter.runtime.identity.provider import IdentityProvider, ProviderAwayError, Reason, SignInRefusedError
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.probes import is_local_name
from crouter.runtime.server.site.arrival import Arrival
from crouter.runtime.server.site.form import open_to_all, see_other
from crouter.runtime.server.site.notices import HOME, SIGN_IN, Notice, Notices
from crouter.runtime.server.site.own_path import next_path
from crouter.runtime.server.site.route import READING, SiteRoute, exactly
from crouter.runtime.web.cookies import CookieRegister
from crouter.runtime.web.headers import Headers

TO_PROVIDER: Final = "/sign-in/google"
CALLBACK: Final = "/sign-in/callback"
_FIELDS_MAX: Final = 20
_CODE_CHARS_MAX: Final = 512
_AGAIN: Final = (SIGN_IN, HOME)

_CANCELLED: Final = Notice(
    "You did not sign in", ("Google tells us that you went back. Nothing about you was kept.",), _AGAIN
)
_UNVERIFIED: Final = Notice(
    "Your e-mail address is not verified",
    (
        "Google does not confirm that the address of this Google account is yours, so we cannot use it.",
        "Verify it with Google, or sign in with another Google account.",
    ),
    _AGAIN,
)
_OVER: Final = Notice(
    "This sign-in is over",
    (
        "It was used already, took longer than ten minutes, or was begun in another browser.",
        "Nothing has happened. Begin again, and it works.",
    ),
    _AGAIN,
)
_REFUSED: Final = Notice(
    "This sign-in was not meant for us",
    (
        "What came back does not prove who you are: it was not made by our sign-in provider for this service.",
        "Nothing about you was kept. Begin again; if it happens again, tell us.",
    ),
    _AGAIN,
)
_UNUSABLE: Final = Notice(
    "We could not tell who you are",
    ("Our sign-in provider's answer was not complete, so nobody was signed in.", "Begin again in a minute."),
    _AGAIN,
)
_AWAY: Final = Notice(
    "Signing in does not work at the moment",
    (
        "Our sign-in provider cannot be reached. Whoever is signed in stays signed in, and API keys go on working.",
        "Try again in a few minutes.",
    ),
    _AGAIN,
)
_NOTICES: Final[dict[Reason, Notice]] = {
    "over": _OVER,
    "unverified_email": _UNVERIFIED,
    "refused_token": _REFUSED,
    "unusable_answer": _UNUSABLE,
}


class ProviderSignIn:
    """Answers the page that leads to the provider, and the one that it leads back to."""

    def __init__(self, parts: Parts, provider: IdentityProvider, entry: Entry, arrival: Arrival) -> None:
        self._parts = parts
        self._provider = provider
        self._entry = entry
        self._arrival = arrival
        self._notices = Notices(parts)
        self._flows = FlowCookie(parts.settings.identity.session_keys)
        self._register = CookieRegister(parts.deployment.web.cookies)
        self._url = parts.deployment.identity.url.rstrip("/")

    def routes(self) -> tuple[SiteRoute, ...]:
        """There and back."""
        return (
            SiteRoute("sign_in_begin", exactly(TO_PROVIDER), ("GET",), open_to_all(self._parts, self._begin)),
            SiteRoute("sign_in_callback", exactly(CALLBACK), READING, open_to_all(self._parts, self._back)),
        )

    async def _begin(self, exchange: Exchange) -> web.StreamResponse:
        state = new_state()
        try:
            begun = await self._provider.begin(f"{self._origin(exchange)}{CALLBACK}?state={state}")
        except ProviderAwayError:
            return self._away(exchange)
        value = self._flows.make(Flow(begun.verifier, state, next_path(exchange)))
        return see_other(begun.url, ("set-cookie", self._register.set(COOKIE, value)))

    async def _back(self, exchange: Exchange) -> web.StreamResponse:
        told = _told(exchange)
        flow = self._flows.read(exchange.request.cookies.get(COOKIE), told.get("state", ""))
        if flow is None:
            return self._refused(exchange, _OVER)
        if "error" in told or not 0 < len(told.get("code", "")) <= _CODE_CHARS_MAX:
            return self._refused(exchange, _meaning(told))
        try:
            signed_in = await self._provider.complete(told["code"], flow.verifier)
        except SignInRefusedError as error:
            self._parts.log.warning("sign_in_refused", error=error.reason)
            return self._refused(exchange, _NOTICES[error.reason])
        except ProviderAwayError:
            return self._away(exchange)
        outcome = await self._entry.of(signed_in.identity)
        return await self._arrival.answer(exchange, outcome, signed_in.renewal, flow.afterwards, self._over)

    @property
    def _over(self) -> Headers:
        return (("set-cookie", self._register.remove(COOKIE)),)

    def _refused(self, exchange: Exchange, notice: Notice) -> web.StreamResponse:
        return self._notices.page(exchange, notice, status=403, headers=self._over)

    def _away(self, exchange: Exchange) -> web.StreamResponse:
        self._parts.log.warning("identity_provider_away")
        return self._notices.page(exchange, _AWAY, status=503, headers=(("retry-after", "60"),))

    def _origin(self, exchange: Exchange) -> str:
        """Our published address; on a development machine the one by which the browser found it."""
        host = exchange.request.headers.get(hdrs.HOST, "")
        is_local = not self._parts.settings.production and is_local_name(host)
        return f"http://{host}" if is_local else self._url


def _told(exchange: Exchange) -> dict[str, str]:
    """The fields of the query; nothing where one stands there twice, which no answer of the provider has."""
    try:
        fields = parse_qsl(exchange.query, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return {}
    told = dict(fields)
    return told if len(told) == len(fields) else {}


def _meaning(told: dict[str, str]) -> Notice:
    """What the provider's error means to the person (the codes are those of Supabase Auth)."""
    if told.get("error_code") == "provider_email_needs_verification":
        return _UNVERIFIED
    if told.get("error") == "access_denied" and "error_code" not in told:
        return _CANCELLED
    return _OVER if told.get("error_code", "").startswith(("bad_oauth", "flow_state")) else _UNUSABLE
