"""`GET /v1/receipts/{id}`, for the account whose request it was, and `/.well-known/jwks.json`, for everybody."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from aiohttp import hdrs, web

from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.proxy.errors import ErrorReply, not_found, unavailable
from crouter.runtime.receipts.keys import SigningKeys
from crouter.runtime.receipts.store import Receipts
from crouter.runtime.server.admission import admit
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.web.negotiation import best_media_type

PREFIX: Final = "/v1/receipts/"
KEYS_PATH: Final = "/.well-known/jwks.json"
RETRY_AFTER_SECONDS: Final = 1
_COMPACT: Final = "application/jose"
_JSON: Final = "application/json"

Answerer = Callable[[Exchange], Awaitable[web.StreamResponse]]


class ReceiptRoutes:
    """Answers for receipts; there are no routes where no key to sign with is set."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        ring = parts.settings.receipts
        keys = SigningKeys(ring) if ring else None
        self._receipts = Receipts(parts.deployment, parts.reader, keys, lambda: datetime.now(UTC)) if keys else None

    def routes(self) -> tuple[tuple[str, re.Pattern[str], Answerer], ...]:
        """Name, pattern of the path and answerer of each."""
        if self._receipts is None:
            return ()
        return (
            ("receipts", re.compile(re.escape(PREFIX) + "[A-Za-z0-9_.-]{1,64}"), self._receipt),
            ("receipt_keys", re.compile(re.escape(KEYS_PATH)), self._keys),
        )

    async def _receipt(self, exchange: Exchange) -> web.StreamResponse:
        caller = await admit(exchange, self._parts, metered=False)
        if isinstance(caller, ErrorReply):
            return error_reply(caller, exchange.request_id)
        name = exchange.path.removeprefix(PREFIX)
        assert self._receipts is not None
        try:
            receipt = await self._receipts.receipt(name, caller.account)
        except DatabaseError:
            return error_reply(unavailable(), exchange.request_id)
        if receipt is None:
            return error_reply(_none(), exchange.request_id)
        accept = exchange.request.headers.get(hdrs.ACCEPT)
        media_type = best_media_type(accept, (_COMPACT, _JSON))
        body = json.dumps({"type": "receipt", "id": name, "receipt": receipt}) if media_type == _JSON else receipt
        headers = {
            "content-type": media_type,
            "cache-control": "private, no-store",
            "vary": "accept",
            "request-id": exchange.request_id,
        }
        return Reply(headers=headers, body=body.encode("ascii"))

    async def _keys(self, exchange: Exchange) -> web.StreamResponse:
        assert self._receipts is not None
        headers = {"content-type": "application/jwk-set+json", "cache-control": "public, max-age=300"}
        return Reply(headers=headers, body=self._receipts.key_set)


def _none() -> ErrorReply:
    """The same for an id that nobody has, that somebody else has, and whose record is still on its way."""
    words = "there is no receipt of this id for your account; that of a new request can take a moment"
    return ErrorReply(404, not_found().type, words, RETRY_AFTER_SECONDS)
