"""Makes a message batch: every entry priced, the most it can cost reserved, its owner written down.

The record is there before the upstream is asked, and has the batch's id before the client gets it. From the moment
the upstream is asked, a client that leaves changes nothing: somebody has to know whose the batch is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from aiohttp import web

from crouter.runtime.batches import BatchRecords
from crouter.runtime.database.errors import DatabaseAwayError, DatabaseError
from crouter.runtime.key_lookup import Caller
from crouter.runtime.pricing.most import most_it_can_cost
from crouter.runtime.pricing.unpriced import unpriced_in
from crouter.runtime.proxy.batches import PATH, batch_id_in, read_entries, read_entry
from crouter.runtime.proxy.errors import (
    ErrorReply,
    balance_too_low,
    invalid_request,
    spending_limit_reached,
    unavailable,
    upstream_unreachable,
)
from crouter.runtime.proxy.request import Refused
from crouter.runtime.server.admission import admit
from crouter.runtime.server.batch_addresses import BatchAddresses
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import Forwarding
from crouter.runtime.server.whole_answers import Whole, asked_whole, replied
from crouter.runtime.words import kind_of

# How long other processes are waited for that have leased what a batch needs.
PAUSES_SECONDS: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0)
# Between two looks at what else there is to do, while the entries of a large batch are read.
READ_AT_ONCE_BYTES: Final = 256 * 1024


Keep: TypeAlias = Callable[["asyncio.Task[Any]"], None]
"""Sees to it that a task is waited for when the service stops."""
_Write: TypeAlias = Callable[[UUID], Awaitable[None]]


class BatchCreation:
    """Answers `POST /v1/messages/batches`."""

    def __init__(self, parts: Parts, forwarding: Forwarding, records: BatchRecords, keep: Keep) -> None:
        self._parts = parts
        self._forwarding = forwarding
        self._records = records
        self._addresses = BatchAddresses(parts)
        self._keep = keep

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answers one request. Raises DatabaseError before anything was sent, ConnectionError when the client left."""
        return replied(await self._outcome(exchange), exchange)

    async def _outcome(self, exchange: Exchange) -> Whole | ErrorReply:
        caller = await admit(exchange, self._parts, metered=True)
        if isinstance(caller, ErrorReply):
            return caller
        body = await read_body(exchange.request, self._parts.deployment.proxy.body_bytes_max)
        if isinstance(body, ErrorReply):
            return body
        entries = read_entries(body)
        if isinstance(entries, Refused):
            return invalid_request(entries.message)
        most = await self._most(entries, exchange)
        if isinstance(most, Refused):
            return invalid_request(most.message)
        del entries
        record = await self._reserved(caller, most, exchange.received_at)
        if isinstance(record, ErrorReply):
            return record
        task = asyncio.create_task(self._made(exchange, record, body), name="batch")
        self._keep(task)
        return await asyncio.shield(task)

    async def _reserved(self, caller: Caller, nanousd: int, at: datetime) -> UUID | ErrorReply:
        """The record that holds so much, or why there is none, also when processes have given back leases."""
        spending = self._parts.spending
        limits = () if spending is None else spending.rooms(caller, at)
        rooms = [] if spending is None else [partial(spending.room, limit=limit) for limit in limits]
        for pause in (*PAUSES_SECONDS, None):
            record = await self._records.reserve(caller.account, caller.key, nanousd, at, rooms)
            if isinstance(record, UUID):
                return record
            limit = None if record.room is None else limits[record.room]
            if pause is None or record.leased_nanousd == 0:
                if limit is None:
                    return balance_too_low(nanousd)
                return spending_limit_reached(nanousd, at, of_key=limit.key is not None)
            if limit is None:
                await self._parts.credit.call_in(caller.account)
            elif spending is not None:
                await spending.leases.call_in(limit.id)
            await asyncio.sleep(pause)
        raise AssertionError("the last try has returned")

    async def _most(self, entries: Sequence[msgspec.Raw], exchange: Exchange) -> int | Refused:
        """Nanodollars for all entries together, or why one of them is refused."""
        prices, at = self._parts.prices, exchange.received_at
        seen: set[str] = set()
        total = done = 0
        for number, raw in enumerate(entries):
            entry = read_entry(number, bytes(raw))
            if isinstance(entry, Refused):
                return entry
            if entry.custom_id in seen:
                return Refused(f"requests.{number}.custom_id: is given twice")
            seen.add(entry.custom_id)
            if (unpriced := unpriced_in(entry.accepted, prices, at)) is not None:
                return Refused(f"requests.{number}.params: {unpriced.message}")
            total += most_it_can_cost(entry.accepted, entry.params, prices, at)
            done += len(entry.params)
            if done > READ_AT_ONCE_BYTES:
                done = 0
                await asyncio.sleep(0)
        return total

    async def _made(self, exchange: Exchange, record: UUID, body: bytes) -> Whole | ErrorReply:
        outcome = await asked_whole(self._forwarding, exchange, "POST", self._addresses.target(exchange), body)
        if isinstance(outcome, ErrorReply) or outcome.status >= 400:
            await self._written(exchange, self._records.end, record)
            return outcome
        upstream_id = batch_id_in(outcome.body)
        if outcome.status != 200 or upstream_id is None:
            self._parts.log.error("batch_without_id", request_id=exchange.request_id, status=outcome.status)
            await self._written(exchange, self._records.end, record)
            return upstream_unreachable()

        async def name(of: UUID) -> None:
            await self._records.name(of, upstream_id)

        written = await self._written(exchange, name, record)
        if written == "away":
            # Nobody would ever be shown it: better that it ends than that it runs for nobody.
            await asked_whole(self._forwarding, exchange, "POST", f"{PATH}/{upstream_id}/cancel")
        return outcome if written == "written" else unavailable()

    async def _written(self, exchange: Exchange, write: _Write, record: UUID) -> Literal["written", "away", "refused"]:
        """Writes to the record, again while the database is away; what became of it."""
        for pause in (*RETRY_SECONDS, None):
            try:
                await write(record)
            except DatabaseAwayError as error:
                if pause is None:
                    self._parts.log.error("batch_unrecorded", request_id=exchange.request_id, error=kind_of(error))
                    return "away"
                await asyncio.sleep(pause)
            except DatabaseError as error:
                fault = f"{kind_of(error)}:{error.code}"
                self._parts.log.error("batch_unrecorded", request_id=exchange.request_id, error=fault)
                return "refused"
            else:
                return "written"
        raise AssertionError("the last try has returned")
