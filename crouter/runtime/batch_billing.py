"""Bills what the results of a message batch say was used: no line goes on before the record of it is written.

A result that was billed before is not billed again, whoever reads it and however often: the id of its record is the
same. What a batch costs is what it cost when it was made. Leaves out who reads, and for whom: its owner in
`crouter.runtime.server.batch_results`, the service itself in `crouter.runtime.unread_batches`.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from crouter.runtime.batches import BatchRecords, OwnedBatch
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.egress import Answer, UpstreamError
from crouter.runtime.parts import Parts
from crouter.runtime.pricing.book import Unpriced
from crouter.runtime.pricing.settlement import Charge, settle
from crouter.runtime.proxy.batch_results import Lines, ResultLines, Used
from crouter.runtime.usage import Settlement
from crouter.runtime.words import kind_of

RECORDED_AT_ONCE: Final = 500
_WITHOUT_RESULTS: Final = frozenset({400, 404, 410})

PassOn = Callable[[bytes], Awaitable[None]]


class UnreadableError(UpstreamError):
    """Results, or what is said of a batch, came in a form in which they could not be billed."""


class BatchBilling:
    """Reads results. `request_id` is that of the request for which somebody reads; None where nobody asked."""

    def __init__(self, parts: Parts, records: BatchRecords) -> None:
        self._parts = parts
        self._records = records

    async def bill(self, asked: Awaitable[Answer], owned: OwnedBatch, request_id: str | None = None) -> bool:
        """Reads all results for what they used, and for nobody to see.

        False: there are none, because the batch has not ended or has none any more; nothing is billed. Raises what
        `asked` and `read` raise.
        """
        answer = await asked
        try:
            if answer.status in _WITHOUT_RESULTS:
                return False
            await self.read(answer, owned, request_id)
        finally:
            answer.close()
        return True

    async def read(
        self, answer: Answer, owned: OwnedBatch, request_id: str | None = None, pass_on: PassOn | None = None
    ) -> None:
        """Bills all lines of an answer, each before it is passed on, and ends the reservation after the last.

        Raises UpstreamError, LineTooLongError, NotRecordedError and what `pass_on` raises.
        """
        if answer.status != 200 or (answer.header("content-encoding") or "identity") != "identity":
            raise UnreadableError
        lines = ResultLines(owned.record)
        async for piece in answer.pieces():
            await self._billed(lines.feed(piece), owned, request_id, pass_on)
        await self._billed(lines.close(), owned, request_id, pass_on)
        if not owned.settled:
            await self._settled(owned, request_id)

    async def _billed(
        self, lines: Lines | None, owned: OwnedBatch, request_id: str | None, pass_on: PassOn | None
    ) -> None:
        if lines is None:
            return
        for anomaly in lines.anomalies:
            self._report(anomaly, request_id)
        if not owned.settled:
            await self._recorded([self._settlement(owned, used, request_id) for used in lines.used])
        if pass_on is not None:
            await pass_on(lines.data)

    async def _recorded(self, settlements: list[Settlement]) -> None:
        """Waits until all are in the database. Raises NotRecordedError.

        No lease pays for them: what they may cost is held by the batch's own record, which must not be settled before.
        """
        for start in range(0, len(settlements), RECORDED_AT_ONCE):
            await self._parts.settling.write(settlements[start : start + RECORDED_AT_ONCE])

    async def _settled(self, owned: OwnedBatch, request_id: str | None) -> None:
        try:
            await self._records.settle(owned.record)
        except DatabaseError as error:
            # Everything is billed; the reservation ends when the results are read once more, or with the record.
            self._warn("batch_unrecorded", kind_of(error), request_id)

    def _settlement(self, owned: OwnedBatch, used: Used, request_id: str | None) -> Settlement:
        charge = self._charge(owned, used)
        for anomaly in charge.anomalies:
            self._report(anomaly, request_id)
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

    def _report(self, anomaly: str, request_id: str | None) -> None:
        self._parts.metrics.count("crouter_anomalies_total", kind=anomaly)
        self._warn("usage_anomaly", anomaly, request_id)

    def _warn(self, event: str, error: str, request_id: str | None) -> None:
        named = {} if request_id is None else {"request_id": request_id}
        self._parts.log.warning(event, **named, error=error)
