"""One metered request: forwarded, relayed as it comes, tapped, settled. The order is the point of this module.

The end of an answer leaves only after its record is in the database. What carries the end is held back meanwhile: in
a stream the bytes from `message_stop` on, otherwise the last bytes of the body. If the record cannot be
written, the answer ends with an error that the client can see. A client that leaves cancels the
upstream at once, and what was reported until then is settled by a task that outlives this one.
"""

import asyncio
import uuid
from collections import deque
from collections.abc import Iterable
from typing import Final

from aiohttp import web

from crouter.contract.traffic import Route
from crouter.runtime.egress import Answer, UpstreamError
from crouter.runtime.key_lookup import Caller
from crouter.runtime.pricing.settlement import settle
from crouter.runtime.proxy.attempt import Attempt, Ending
from crouter.runtime.proxy.dialects import MESSAGES, Dialect
from crouter.runtime.proxy.errors import ErrorReply, unavailable
from crouter.runtime.proxy.request import Accepted
from crouter.runtime.proxy.usage_chunk import UsageChunkFilter
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import Forwarding, UnforwardableHeaderError
from crouter.runtime.server.outlet import Outlet
from crouter.runtime.server.protocol import error_reply
from crouter.runtime.server.relay import unforwardable_header, upstream_fault
from crouter.runtime.settling import NotRecordedError
from crouter.runtime.usage import Settlement

HELD_BYTES_MAX: Final = 1024 * 1024


class MeteredRelay:
    """Carries one admitted request through. `run` is called once."""

    def __init__(
        self,
        parts: Parts,
        forwarding: Forwarding,
        exchange: Exchange,
        caller: Caller,
        accepted: Accepted,
        dialect: Dialect = MESSAGES,
        cut: UsageChunkFilter | None = None,
    ) -> None:
        """`cut` takes out of a stream what only we asked for."""
        self._parts = parts
        self._forwarding = forwarding
        self._exchange = exchange
        self._caller = caller
        self._attempt = Attempt(accepted.model, accepted.options, dialect)
        self._cut = cut
        self._answer: Answer | None = None
        self._outlet: Outlet | None = None
        self._held: deque[bytes] = deque()
        self._held_bytes = 0

    async def run(self, route: Route, body: list[bytes]) -> web.StreamResponse:
        """Answers the request. `body` is emptied when it has been sent, so that it is not kept while the answer runs.

        Raises ConnectionError when the client is gone or has to see a broken connection.
        """
        fault: ErrorReply | None = None
        ending = Ending.CRASHED
        try:
            await self._relay(route, body)
            ending = Ending.UPSTREAM_CLOSED
        except UnforwardableHeaderError:
            ending, fault = Ending.UPSTREAM_BROKE_OFF, unforwardable_header()
        except UpstreamError as error:
            ending, fault = Ending.UPSTREAM_BROKE_OFF, upstream_fault(error)
        except (asyncio.CancelledError, ConnectionError):
            ending = Ending.CLIENT_LEFT
            raise
        finally:
            if self._answer is not None:
                self._answer.close()
            whole = ending is Ending.UPSTREAM_CLOSED or self._attempt.has_stopped
            settlement = self._settle(ending)
        if settlement is not None:
            try:
                await self._parts.settling.written(settlement)
            except NotRecordedError:
                whole, fault = False, unavailable()
        if whole and self._outlet is not None:
            return await self._finish(self._outlet)
        assert fault is not None, "an answer that is not whole has a reason"
        return await self._fail(fault)

    async def _relay(self, route: Route, body: list[bytes]) -> None:
        uncoded = self._cut is not None
        answer = await self._forwarding.send(self._exchange, route, body.pop(), uncoded=uncoded)
        self._answer = answer
        self._attempt.head(answer.status, answer.header("content-type"), answer.header("content-encoding"))
        cut = self._cut if _is_stream(answer) and not answer.header("content-encoding") else None
        headers = self._forwarding.returned(answer, self._exchange)
        if cut is not None:
            headers = tuple(pair for pair in headers if pair[0].lower() != "content-length")
        outlet = Outlet(self._exchange.request, answer.status, headers)
        self._outlet = outlet
        if answer.status >= 400:
            async for piece in answer.pieces():
                self._attempt.body(piece)
                await outlet.write(piece)
        elif _is_stream(answer):
            await outlet.begin()
            async for piece in answer.pieces():
                self._attempt.body(piece)
                await self._stream(outlet, piece if cut is None else cut.feed(piece))
            if cut is not None:
                await self._stream(outlet, cut.close())
        else:
            async for piece in answer.pieces():
                self._attempt.body(piece)
                await self._hold(outlet, piece)

    async def _stream(self, outlet: Outlet, piece: bytes) -> None:
        if self._attempt.has_stopped:
            self._held.append(piece)
        elif piece:
            await outlet.write(piece)

    async def _hold(self, outlet: Outlet, piece: bytes) -> None:
        self._held.append(piece)
        self._held_bytes += len(piece)
        while self._held_bytes > HELD_BYTES_MAX and len(self._held) > 1:
            first = self._held.popleft()
            self._held_bytes -= len(first)
            await outlet.write(first)

    async def _finish(self, outlet: Outlet) -> web.StreamResponse:
        while self._held:
            if piece := self._held.popleft():
                await outlet.write(piece)
        return await outlet.end()

    async def _fail(self, fault: ErrorReply) -> web.StreamResponse:
        outlet, answer = self._outlet, self._answer
        self._held.clear()
        if outlet is None or not outlet.began:
            return error_reply(fault, self._exchange.request_id)
        if answer is not None and _takes_an_event(answer):
            await outlet.write(fault.event(self._exchange.request_id))
            return await outlet.end()
        # Nothing can be added to such a body; the client has to see that it is not whole.
        raise ConnectionResetError

    def _settle(self, ending: Ending) -> "asyncio.Task[bool] | None":
        draft = self._attempt.end(ending)
        if draft is None:
            self._report(self._attempt.anomalies)
            return None
        charge = settle(draft, self._parts.prices, self._exchange.received_at)
        self._report((*self._attempt.anomalies, *charge.anomalies, *(f"unknown:{key}" for key in draft.unknown_keys)))
        return self._parts.settling.begin(
            Settlement(
                id=uuid.uuid4(),
                account=self._caller.account,
                api_key=self._caller.key,
                occurred_at=self._exchange.received_at,
                draft=draft,
                charge=charge,
            )
        )

    def _report(self, anomalies: Iterable[str]) -> None:
        for anomaly in anomalies:
            self._parts.metrics.count("crouter_anomalies_total", kind=anomaly)
            self._parts.log.warning("usage_anomaly", request_id=self._exchange.request_id, error=anomaly)


def _takes_an_event(answer: Answer) -> bool:
    """Whether an event of ours can follow what was sent: a plain stream of no declared length."""
    return _is_stream(answer) and not (answer.header("content-encoding") or answer.header("content-length"))


def _is_stream(answer: Answer) -> bool:
    media_type = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    return media_type == "text/event-stream"
