"""The routes of message batches: every one asks first whose the batch is, and the upstream only then.

A list is made from the ownership records, and each of its entries asked for by its id: the upstream's own list holds
everybody's. Creating is `batch_creation.py`, reading and billing results `batch_results.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.batches import BatchRecords, OwnedBatch
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.key_lookup import Caller
from crouter.runtime.proxy.batches import PageAsked, page_body, read_page_query, with_own_results
from crouter.runtime.proxy.errors import ErrorReply, batch_not_found, invalid_request
from crouter.runtime.proxy.request import Refused
from crouter.runtime.server.admission import admit
from crouter.runtime.server.batch_addresses import BatchAddresses
from crouter.runtime.server.batch_creation import BatchCreation
from crouter.runtime.server.batch_results import BatchResults
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import Forwarding
from crouter.runtime.server.protocol import Reply, error_reply
from crouter.runtime.server.whole_answers import Whole, asked_whole, database_away, replied
from crouter.runtime.words import kind_of

ASKED_AT_ONCE: Final = 8
# A page is filled up this often when the upstream no longer knows some of its entries.
PAGES_MAX: Final = 5

_Owner = Callable[[Exchange, Caller, OwnedBatch], Awaitable[web.StreamResponse]]


class Batches:
    """Answers all routes that belong to batches."""

    def __init__(self, parts: Parts, forwarding: Forwarding) -> None:
        self._parts = parts
        self._forwarding = forwarding
        self._records = BatchRecords(parts.deployment, parts.database)
        self._addresses = BatchAddresses(parts)
        self._creation = BatchCreation(parts, forwarding, self._records)
        self._results = BatchResults(parts, forwarding, self._records)

    def answerer(self, route: Route) -> Callable[[Exchange], Awaitable[web.StreamResponse]]:
        """Who answers one route; which one it is shows in its method and path."""
        if "{" not in route.path:
            return self._guarded(self._creation.answer if route.method == "POST" else self._list)
        if route.metered:
            return self._guarded(self._owned(self._results.answer))
        return self._guarded(self._owned(self._delete if route.method == "DELETE" else self._one))

    def _guarded(
        self, answer: Callable[[Exchange], Awaitable[web.StreamResponse]]
    ) -> Callable[[Exchange], Awaitable[web.StreamResponse]]:
        async def guarded(exchange: Exchange) -> web.StreamResponse:
            try:
                return await answer(exchange)
            except DatabaseError as error:
                self._parts.log.warning("database_away", request_id=exchange.request_id, error=kind_of(error))
                if exchange.answer_began:
                    raise ConnectionResetError from None
                return database_away(exchange)

        return guarded

    def _owned(self, answer: _Owner) -> Callable[[Exchange], Awaitable[web.StreamResponse]]:
        async def owned(exchange: Exchange) -> web.StreamResponse:
            caller = await admit(exchange, self._parts, metered=False)
            if isinstance(caller, ErrorReply):
                return error_reply(caller, exchange.request_id)
            found = await self._records.find(caller.account, self._addresses.batch_id(exchange))
            if found is None:
                return error_reply(batch_not_found(), exchange.request_id)
            return await answer(exchange, caller, found)

        return owned

    async def _one(self, exchange: Exchange, caller: Caller, owned: OwnedBatch) -> web.StreamResponse:
        """Shows a batch, or cancels it."""
        body = await self._body(exchange)
        if isinstance(body, ErrorReply):
            return error_reply(body, exchange.request_id)
        target = self._addresses.target(exchange)
        return self._shown(await self._asked(exchange, target, body or None), exchange, owned)

    async def _delete(self, exchange: Exchange, caller: Caller, owned: OwnedBatch) -> web.StreamResponse:
        body = await self._body(exchange)
        if isinstance(body, ErrorReply):
            return error_reply(body, exchange.request_id)
        if not owned.settled:
            # Results that nobody has read are billed before they are gone.
            fault = await self._results.bill(exchange, owned, self._addresses.results(exchange, owned))
            if fault is not None:
                return error_reply(fault, exchange.request_id)
        outcome = await self._asked(exchange, self._addresses.target(exchange), body or None)
        # 404: it is gone already, and what was billed of it above is all that there was.
        if isinstance(outcome, Whole) and outcome.status in (200, 404):
            await self._records.end(owned.record)
        return replied(outcome, exchange)

    async def _list(self, exchange: Exchange) -> web.StreamResponse:
        caller = await admit(exchange, self._parts, metered=False)
        if isinstance(caller, ErrorReply):
            return error_reply(caller, exchange.request_id)
        asked = read_page_query(parse_qsl(exchange.query, keep_blank_values=True, max_num_fields=20))
        if isinstance(asked, Refused):
            return error_reply(invalid_request(asked.message), exchange.request_id)
        cursor = asked.after_id or asked.before_id
        beside = await self._records.find(caller.account, cursor) if cursor else None
        if cursor and beside is None:
            return error_reply(batch_not_found(), exchange.request_id)
        return await self._page(exchange, caller, asked, beside)

    async def _page(
        self, exchange: Exchange, caller: Caller, asked: PageAsked, beside: OwnedBatch | None
    ) -> web.StreamResponse:
        newer = asked.before_id is not None
        shown: list[tuple[str, bytes]] = []
        has_more = True
        for _ in range(PAGES_MAX):
            page = await self._records.page(
                caller.account, asked.limit - len(shown), beside=beside, side="newer" if newer else "older"
            )
            has_more = page.has_more
            outcomes = await self._all(exchange, page.batches)
            fault = next((one for one in outcomes if isinstance(one, ErrorReply) or one.status not in (200, 404)), None)
            if fault is not None:
                return replied(fault, exchange)
            found = [
                (owned.upstream_id, with_own_results(one.body, self._addresses.public_results(exchange, owned)))
                for owned, one in zip(page.batches, outcomes, strict=True)
                if isinstance(one, Whole) and one.status == 200
            ]
            shown = [*found, *shown] if newer else [*shown, *found]
            if len(shown) == asked.limit or not has_more:
                break
            beside = page.batches[0 if newer else -1]
        body = page_body([body for _, body in shown], [name for name, _ in shown], has_more=has_more)
        headers = (("content-type", "application/json"), ("x-crouter-request-id", exchange.request_id))
        return Reply(status=200, headers=(*headers, ("request-id", exchange.request_id)), body=body)

    async def _all(self, exchange: Exchange, batches: tuple[OwnedBatch, ...]) -> list[Whole | ErrorReply]:
        """One outcome for each batch, a few asked for at a time."""
        outcomes: list[Whole | ErrorReply] = []
        for start in range(0, len(batches), ASKED_AT_ONCE):
            some = batches[start : start + ASKED_AT_ONCE]
            outcomes += await asyncio.gather(
                *(
                    asked_whole(self._forwarding, exchange, "GET", self._addresses.one(exchange, owned))
                    for owned in some
                )
            )
        return outcomes

    async def _asked(self, exchange: Exchange, target: str, body: bytes | None) -> Whole | ErrorReply:
        return await asked_whole(self._forwarding, exchange, exchange.request.method, target, body)

    async def _body(self, exchange: Exchange) -> bytes | ErrorReply:
        return await read_body(exchange.request, self._parts.deployment.proxy.body_bytes_max)

    def _shown(self, outcome: Whole | ErrorReply, exchange: Exchange, owned: OwnedBatch) -> web.StreamResponse:
        if isinstance(outcome, Whole) and outcome.status == 200:
            return outcome.reply(with_own_results(outcome.body, self._addresses.public_results(exchange, owned)))
        return replied(outcome, exchange)
