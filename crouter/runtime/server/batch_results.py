"""Reads the results of a batch and bills them: no line leaves before the record of what it used is written.

Lines pass as the bytes they are. A result that was billed before is not billed again, whoever of the account reads it
and however often: the id of its record is the same. What a batch costs is what it cost when it was made.
"""

from typing import Final

from aiohttp import web

from crouter.runtime.batches import BatchRecords, OwnedBatch
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.egress import Answer, UpstreamError
from crouter.runtime.key_lookup import Caller
from crouter.runtime.pricing.book import Unpriced
from crouter.runtime.pricing.settlement import Charge, settle
from crouter.runtime.proxy.batch_results import Lines, LineTooLongError, ResultLines, Used
from crouter.runtime.proxy.errors import ErrorReply, unavailable, upstream_unreachable
from crouter.runtime.server.batch_addresses import BatchAddresses
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import NOT_ANSWERED, Forwarding, fault_of
from crouter.runtime.server.outlet import Outlet
from crouter.runtime.server.protocol import error_reply
from crouter.runtime.server.whole_answers import read_whole
from crouter.runtime.settling import NotRecordedError
from crouter.runtime.usage import Settlement
from crouter.runtime.words import kind_of

RECORDED_AT_ONCE: Final = 500
_WITHOUT_RESULTS: Final = frozenset({400, 404, 410})


class UnreadableError(UpstreamError):
    """Results came in a form in which they could not be billed."""


class BatchResults:
    """Answers `GET /v1/messages/batches/{id}/results`, and bills what nobody has read when a batch is deleted."""

    def __init__(self, parts: Parts, forwarding: Forwarding, records: BatchRecords) -> None:
        self._parts = parts
        self._forwarding = forwarding
        self._records = records
        self._addresses = BatchAddresses(parts)

    async def answer(self, exchange: Exchange, caller: Caller, owned: OwnedBatch) -> web.StreamResponse:
        """Answers its owner. Raises ConnectionError when the client is gone or has to see a broken connection."""
        try:
            answer = await self._forwarding.ask(exchange, "GET", self._addresses.target(exchange))
            try:
                if answer.status >= 400:
                    return (await read_whole(self._forwarding, exchange, answer)).reply()
                return await self._passed_on(exchange, owned, answer)
            finally:
                answer.close()
        except (*NOT_ANSWERED, LineTooLongError, NotRecordedError) as error:
            if exchange.answer_began:
                # Nothing can be added to such a body; the client has to see that it is not whole.
                raise ConnectionResetError from None
            return error_reply(_fault(error), exchange.request_id)

    async def bill(self, exchange: Exchange, owned: OwnedBatch, target: str) -> ErrorReply | None:
        """Reads all results for what they used, and for nobody to see. An error where there may be some left unbilled.

        A batch without results, because it has not ended or has none any more, is billed for nothing.
        """
        try:
            answer = await self._forwarding.ask(exchange, "GET", target)
            try:
                if answer.status in _WITHOUT_RESULTS:
                    return None
                await self._read(exchange, owned, answer, None)
            finally:
                answer.close()
        except (*NOT_ANSWERED, LineTooLongError, NotRecordedError) as error:
            return _fault(error)
        return None

    async def _passed_on(self, exchange: Exchange, owned: OwnedBatch, answer: Answer) -> web.StreamResponse:
        outlet = Outlet(exchange.request, answer.status, self._forwarding.returned(answer, exchange))
        await self._read(exchange, owned, answer, outlet)
        return await outlet.end()

    async def _read(self, exchange: Exchange, owned: OwnedBatch, answer: Answer, outlet: Outlet | None) -> None:
        if answer.status != 200 or (answer.header("content-encoding") or "identity") != "identity":
            raise UnreadableError
        lines = ResultLines(owned.record)
        async for piece in answer.pieces():
            await self._let_go(exchange, owned, lines.feed(piece), outlet)
        await self._let_go(exchange, owned, lines.close(), outlet)
        if not owned.settled:
            await self._settled(exchange, owned)

    async def _let_go(self, exchange: Exchange, owned: OwnedBatch, lines: Lines | None, outlet: Outlet | None) -> None:
        if lines is None:
            return
        for anomaly in lines.anomalies:
            self._report(exchange, anomaly)
        if not owned.settled:
            await self._recorded([self._settlement(exchange, owned, used) for used in lines.used])
        if outlet is not None:
            await outlet.write(lines.data)

    async def _recorded(self, settlements: list[Settlement]) -> None:
        """Waits until all are in the database. Raises NotRecordedError.

        No lease pays for them: what they may cost is held by the batch's own record, which must not be settled before.
        """
        for start in range(0, len(settlements), RECORDED_AT_ONCE):
            await self._parts.settling.write(settlements[start : start + RECORDED_AT_ONCE])

    async def _settled(self, exchange: Exchange, owned: OwnedBatch) -> None:
        try:
            await self._records.settle(owned.record)
        except DatabaseError as error:
            # Everything is billed; the reservation ends when the results are read once more, or with the record.
            self._parts.log.warning("batch_unrecorded", request_id=exchange.request_id, error=kind_of(error))

    def _settlement(self, exchange: Exchange, owned: OwnedBatch, used: Used) -> Settlement:
        charge = self._charge(owned, used)
        for anomaly in charge.anomalies:
            self._report(exchange, anomaly)
        return Settlement(
            id=used.id,
            account=owned.account,
            api_key=owned.api_key,
            # The same at every reading, as the id is: a row that is there is found again.
            occurred_at=owned.created_at,
            draft=used.draft,
            charge=charge,
        )

    def _charge(self, owned: OwnedBatch, used: Used) -> Charge:
        prices, draft = self._parts.prices, used.draft
        if isinstance(prices.price_for(draft.model_requested, owned.created_at), Unpriced):
            # Every model of a batch had a price when it was made; what else the upstream names is not guessed at.
            return Charge(0, (), prices.version, ("model_unpriced",))
        return settle(draft, prices, owned.created_at)

    def _report(self, exchange: Exchange, anomaly: str) -> None:
        self._parts.metrics.count("crouter_anomalies_total", kind=anomaly)
        self._parts.log.warning("usage_anomaly", request_id=exchange.request_id, error=anomaly)


def _fault(error: Exception) -> ErrorReply:
    if isinstance(error, NotRecordedError):
        return unavailable()
    return upstream_unreachable() if isinstance(error, LineTooLongError) else fault_of(error)
