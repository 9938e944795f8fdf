"""What visitors are asked before anything is measured, and what they chose: its configuration and its record.

Asking is done by vanilla-cookieconsent in the browser, as `generated/web/consent.json` says. Where the operator
measures nothing, nobody is asked and none of this has an address.
"""

from typing import Final

from aiohttp import web

from crouter.runtime.consent_records import ConsentRecords
from crouter.runtime.proxy.errors import permission_denied, unavailable
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.server.site.asking import RECORD, Asked
from crouter.runtime.server.site.form import CrossSiteError, require_same_site
from crouter.runtime.server.site.route import READING, SENDING, SiteRoute, exactly
from crouter.runtime.web.consent_cookie import COOKIE, Choice, read_choice
from crouter.runtime.web.headers import page_headers
from crouter.runtime.web.privacy_signals import refuses

CONFIGURATION: Final = "/consent.json"


class MayMeasure:
    """Whether a visitor may be measured: by what the browser says, and what was chosen where a choice is waited for."""

    def __init__(self, parts: Parts, revision: int) -> None:
        assert parts.deployment.web.analytics is not None, "only asked where something is measured"
        self._declared = parts.deployment.web.analytics
        self._revision = revision

    def choice(self, exchange: Exchange) -> Choice | None:
        """What the visitor's browser remembers."""
        return read_choice(exchange.request.cookies.get(COOKIE), self._revision)

    def is_refused(self, exchange: Exchange) -> bool:
        """Whether the browser refuses for its visitor."""
        return refuses(exchange.request.headers.get, self._declared.honours)

    def has_consent(self, exchange: Exchange) -> bool:
        """Whether nothing that is waited for is missing."""
        choice = self.choice(exchange)
        match self._declared.mode:
            case "always":
                return True
            case "opt_out":
                return choice is None or choice.analytics
            case "opt_in":
                return choice is not None and choice.analytics


class Consent:
    """Answers for the configuration, and takes choices."""

    def __init__(self, parts: Parts, asked: Asked) -> None:
        self._asked = asked
        self._headers = page_headers(parts.deployment.web)
        self._may_measure = MayMeasure(parts, asked.revision)
        is_declared = ConsentRecords.is_declared(parts.deployment)
        self._records = ConsentRecords(parts.deployment, parts.database, parts.metrics) if is_declared else None

    def routes(self) -> tuple[SiteRoute, ...]:
        configuration = SiteRoute("consent_configuration", exactly(CONFIGURATION), READING, self.configuration)
        if self._records is None:
            return (configuration,)
        return (configuration, SiteRoute("consent_record", exactly(RECORD), SENDING, self.record))

    async def configuration(self, exchange: Exchange) -> web.StreamResponse:
        """What the browser is to ask."""
        told = (("content-type", "application/json"), ("cache-control", "public, max-age=300"))
        return Reply(headers=[*self._headers, *told], body=self._asked.body)

    async def record(self, exchange: Exchange) -> web.StreamResponse:
        """Records the choice that the browser's cookie holds; the request's body is not read."""
        assert self._records is not None, "the route exists with the record"
        try:
            require_same_site(exchange)
        except CrossSiteError:
            return error_reply(permission_denied("only our own pages tell what was chosen"), exchange.request_id)
        choice = self._may_measure.choice(exchange)
        if choice is not None and not await self._records.record(choice):
            return error_reply(unavailable(), exchange.request_id)
        return Reply(status=204, headers=[*self._headers, ("cache-control", "no-store")])
