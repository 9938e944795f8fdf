"""Takes events of our pages for the processor, without what would tell who or where somebody is.

It has the form of OpenPanel's API, so that OpenPanel's own script can be pointed at it. The answer is the same whatever
becomes of an event, and comes before it is sent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from crouter.contract.deployment import Deployment
from crouter.runtime.analytics.events import read_event
from crouter.runtime.analytics.sending import Sender
from crouter.runtime.egress import open_data
from crouter.runtime.ending import end_task
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.proxy.errors import ErrorReply, permission_denied
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.server.site.asking import Asked, asked
from crouter.runtime.server.site.consent import Consent, MayMeasure
from crouter.runtime.server.site.form import CrossSiteError, require_same_site
from crouter.runtime.server.site.route import SENDING, SiteRoute, exactly
from crouter.runtime.settings import Settings

BODY_BYTES_MAX: Final = 4 * 1024
TRACK: Final = "/track"


class AnalyticsRelay:
    """Answers POST at the declared address, and below it where OpenPanel's script sends to."""

    def __init__(self, parts: Parts, asked: Asked, sender: Sender) -> None:
        assert parts.deployment.web.analytics is not None, "only asked where something is measured"
        self._declared = parts.deployment.web.analytics
        self._may_measure = MayMeasure(parts, asked.revision)
        self._sender = sender

    def routes(self) -> tuple[SiteRoute, ...]:
        relay = self._declared.relay_path
        return tuple(
            SiteRoute("analytics_relay", exactly(path), SENDING, self.answer) for path in (relay, relay + TRACK)
        )

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Takes one event."""
        try:
            require_same_site(exchange)
        except CrossSiteError:
            return error_reply(permission_denied("only pages of this service send events"), exchange.request_id)
        body = await read_body(exchange.request, BODY_BYTES_MAX)
        if isinstance(body, ErrorReply):
            return error_reply(body, exchange.request_id)
        if self._may_measure.is_refused(exchange):
            self._sender.tell("refused")
        elif not self._may_measure.has_consent(exchange):
            self._sender.tell("no_consent")
        elif (event := read_event(body, self._declared)) is None:
            self._sender.tell("undeclared")
        else:
            self._sender.offer(event)
        return Reply(status=202, headers=(("cache-control", "no-store"),))


def measuring_routes(parts: Parts) -> tuple[SiteRoute, ...]:
    """The addresses of asking, recording and measuring; none where nothing is measured."""
    question = asked(parts)
    if question is None or parts.analytics is None:
        return ()
    return (*Consent(parts, question).routes(), *AnalyticsRelay(parts, question, parts.analytics).routes())


@asynccontextmanager
async def sending_analytics(
    deployment: Deployment, settings: Settings, metrics: Metrics, log: Log
) -> AsyncIterator[Sender | None]:
    """Sends events until the block ends; None where nothing is measured."""
    analytics, declared = settings.analytics, deployment.web.analytics
    if analytics is None or declared is None:
        yield None
        return
    processor = declared.processor
    async with open_data(
        deployment,
        processor,
        analytics.url,
        production=settings.production,
        refused=lambda: log.error("egress_refused", route=processor),
    ) as channel:
        sender = Sender(channel, analytics, metrics)
        running = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            await end_task(running)
