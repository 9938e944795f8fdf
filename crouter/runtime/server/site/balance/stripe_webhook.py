"""/webhooks/stripe: the one address that takes something without anybody being signed in.

What is not believed is answered with 400 and leaves nothing. While the database or Stripe is away the answer is 503:
Stripe delivers again, for days.
"""

from typing import Final

from aiohttp import web

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.payments.payments import Payments
from crouter.runtime.payments.processor import ProcessorAwayError, ProcessorRefusedError
from crouter.runtime.payments.webhook import BODY_BYTES_MAX, WebhookRefusedError
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply
from crouter.runtime.server.site.route import SENDING, SiteRoute, exactly

PATH: Final = "/webhooks/stripe"
_PLAIN: Final = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")]


class StripeWebhook:
    """Takes messages. It says what came of one, and nothing of what was in it."""

    def __init__(self, parts: Parts, payments: Payments) -> None:
        self._payments = payments
        self._log = parts.log

    def routes(self) -> tuple[SiteRoute, ...]:
        return (SiteRoute("stripe_webhook", exactly(PATH), SENDING, self.answer),)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """200 for what was applied or means nothing to us, 400, or 503."""
        body = await read_body(exchange.request, BODY_BYTES_MAX)
        if isinstance(body, ErrorReply):
            return self._refused(exchange, "unreadable")
        signatures = exchange.request.headers.getall("stripe-signature", [])
        try:
            # With two of them, one reader could believe the first and another the second.
            outcome = await self._payments.receive(body, signatures[0] if len(signatures) == 1 else "")
        except WebhookRefusedError as error:
            return self._refused(exchange, error.reason)
        except (DatabaseError, ProcessorAwayError, ProcessorRefusedError):
            return Reply(status=503, headers=[*_PLAIN, ("retry-after", "30")], body=b"later\n")
        if outcome in ("mismatch", "unclaimed"):
            self._log.error("webhook_noticed", request_id=exchange.request_id, error=outcome)
        return Reply(status=200, headers=_PLAIN, body=f"{outcome}\n".encode())

    def _refused(self, exchange: Exchange, reason: str) -> Reply:
        self._log.warning("webhook_refused", request_id=exchange.request_id, error=reason)
        return Reply(status=400, headers=_PLAIN, body=b"refused\n")
