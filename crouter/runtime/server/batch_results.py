"""Gives the results of a batch to its owner, line by line as they are billed: `crouter.runtime.batch_billing`.

Lines pass as the bytes they are. A batch that is deleted is billed before, without its owner seeing anything.
"""

from aiohttp import web

from crouter.runtime.batch_billing import BatchBilling
from crouter.runtime.batches import BatchRecords, OwnedBatch
from crouter.runtime.egress import Answer
from crouter.runtime.key_lookup import Caller
from crouter.runtime.proxy.batch_results import LineTooLongError
from crouter.runtime.proxy.errors import ErrorReply, unavailable, upstream_unreachable
from crouter.runtime.server.batch_addresses import BatchAddresses
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import NOT_ANSWERED, Forwarding, fault_of
from crouter.runtime.server.outlet import Outlet
from crouter.runtime.server.protocol import error_reply
from crouter.runtime.server.whole_answers import read_whole
from crouter.runtime.settling import NotRecordedError


class BatchResults:
    """Answers `GET /v1/messages/batches/{id}/results`, and bills what nobody has read when a batch is deleted."""

    def __init__(self, parts: Parts, forwarding: Forwarding, records: BatchRecords) -> None:
        self._forwarding = forwarding
        self._addresses = BatchAddresses(parts)
        self._billing = BatchBilling(parts, records)

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
            await self._billing.bill(self._forwarding.ask(exchange, "GET", target), owned, exchange.request_id)
        except (*NOT_ANSWERED, LineTooLongError, NotRecordedError) as error:
            return _fault(error)
        return None

    async def _passed_on(self, exchange: Exchange, owned: OwnedBatch, answer: Answer) -> web.StreamResponse:
        outlet = Outlet(exchange.request, answer.status, self._forwarding.returned(answer, exchange))
        await self._billing.read(answer, owned, exchange.request_id, outlet.write)
        return await outlet.end()


def _fault(error: Exception) -> ErrorReply:
    if isinstance(error, NotRecordedError):
        return unavailable()
    return upstream_unreachable() if isinstance(error, LineTooLongError) else fault_of(error)
