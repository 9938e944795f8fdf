"""Metered requests over aiohttp: what the front did not serve. Admitted, forwarded and metered by the same code.

What differs between the forms that a request can have is how its body is read, and that is given.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from crouter.runtime.front.admission import Admission
from crouter.runtime.front.admitted import Admitted
from crouter.runtime.front.passage import UnforwardableHeaderError
from crouter.runtime.front.relay import Relays
from crouter.runtime.key_lookup import Caller
from crouter.runtime.limits import Pass
from crouter.runtime.proxy.dialects import MESSAGES, Dialect
from crouter.runtime.proxy.errors import ErrorReply
from crouter.runtime.proxy.headers import Headers, uncoded
from crouter.runtime.proxy.request import Accepted
from crouter.runtime.proxy.usage_chunk import UsageChunkFilter
from crouter.runtime.server.admission import passed_in
from crouter.runtime.server.body import read_body
from crouter.runtime.server.exchange import Exchange, Parts
from crouter.runtime.server.forwarding import unforwardable_header
from crouter.runtime.server.metering import relayed
from crouter.runtime.server.protocol import error_reply


@dataclass(slots=True)
class Asked:
    """What a body asks for. `body` is what is forwarded; `cut` takes out of the answer what only we asked for."""

    accepted: Accepted
    body: bytes
    dialect: Dialect = MESSAGES
    cut: UsageChunkFilter | None = None


Reader = Callable[[Admission, bytes, datetime], Asked | ErrorReply]


def read_message(admission: Admission, body: bytes, at: datetime) -> Asked | ErrorReply:
    """Reads the body of `/v1/messages`."""
    accepted = admission.read(body, at)
    return accepted if isinstance(accepted, ErrorReply) else Asked(accepted, body)


class MeteredRoute:
    """Answers a declared route that is metered. `read` reads the bodies of its requests."""

    def __init__(self, parts: Parts, relays: Relays, read: Reader) -> None:
        self._parts = parts
        self._relays = relays
        self._read = read
        self._admission = Admission(parts)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Answers one request. Raises ConnectionError when the client is gone, or has to see a broken connection."""
        try:
            headers = self._relays.passage.forwarded(tuple(exchange.request.headers.items()))
        except UnforwardableHeaderError:
            return error_reply(unforwardable_header(), exchange.request_id)
        admitted = await passed_in(exchange, self._parts, metered=True)
        if isinstance(admitted, ErrorReply):
            return error_reply(admitted, exchange.request_id)
        caller, passed = admitted
        try:
            place = self._admission.enter(caller)
            if isinstance(place, ErrorReply):
                return error_reply(place, exchange.request_id)
            try:
                return await self._answer(exchange, caller, passed, headers)
            finally:
                place.close()
        finally:
            passed.close()

    async def _answer(self, exchange: Exchange, caller: Caller, passed: Pass, headers: Headers) -> web.StreamResponse:
        prepared = await self._prepared(exchange, caller, passed)
        if isinstance(prepared, ErrorReply):
            return error_reply(prepared, exchange.request_id)
        admitted, body = prepared
        if admitted.cut is not None:
            headers = uncoded(headers)
        return await relayed(self._relays, exchange, admitted, headers, body)

    async def _prepared(
        self, exchange: Exchange, caller: Caller, passed: Pass
    ) -> tuple[Admitted, list[bytes]] | ErrorReply:
        body = await read_body(exchange.request, self._parts.deployment.proxy.body_bytes_max)
        if isinstance(body, ErrorReply):
            return body
        asked = self._read(self._admission, body, exchange.received_at)
        if isinstance(asked, ErrorReply):
            return asked
        nanousd = self._admission.most(asked.accepted, asked.body, exchange.received_at)
        hold = self._admission.known_hold(caller, nanousd, exchange.received_at)
        if hold is None:
            held = await self._admission.hold(caller, nanousd, exchange.received_at, exchange.request_id)
            if isinstance(held, ErrorReply):
                return held
            hold = held
        admitted = Admitted(
            exchange.request_id, exchange.received_at, caller, asked.accepted, hold, passed, asked.dialect, asked.cut
        )
        return admitted, [asked.body]
