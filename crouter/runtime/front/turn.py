"""One request of a connection that is served in callbacks, from its head to the last byte of its answer.

All that is known of the request hangs on this object; when it is over the connection lets go of it, and of all that.
A turn goes on synchronously as far as what this process knows goes; where the database has to be asked, a task
asks and then the turn goes on from there.
"""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crouter.runtime.credit.lease import Hold
from crouter.runtime.front.admission import key_in
from crouter.runtime.front.admitted import Admitted
from crouter.runtime.front.answers import answer_head, whole_answer
from crouter.runtime.front.head import PlainHead
from crouter.runtime.front.relay import MeteredRelay
from crouter.runtime.front.telling import CLIENT_LEFT_STATUS
from crouter.runtime.key_lookup import Caller
from crouter.runtime.limits import Pass
from crouter.runtime.proxy.authentication import ApiKey
from crouter.runtime.proxy.errors import ErrorReply, internal_error
from crouter.runtime.proxy.headers import Returned
from crouter.runtime.proxy.overload import Entered
from crouter.runtime.proxy.request import Accepted
from crouter.runtime.proxy.request_id import new_request_id
from crouter.runtime.words import kind_of

if TYPE_CHECKING:
    from crouter.runtime.front.connection import Connection
    from crouter.runtime.front.front import Front

_LAST_CHUNK = b"0\r\n\r\n"
_NO_HEAD = b""


class Turn:
    """One request and its answer. It is the client of its relay."""

    __slots__ = (
        "_began",
        "_body",
        "_caller",
        "_connection",
        "_front",
        "_head",
        "_is_chunked",
        "_is_over",
        "_pass",
        "_place",
        "_received_at",
        "_relay",
        "_request_id",
        "_route",
        "_status",
        "_task",
        "_unsent_head",
    )

    def __init__(self, front: "Front", connection: "Connection", head: PlainHead) -> None:
        self._front = front
        self._connection = connection
        self._head: PlainHead | None = head
        self._route = front.routes[head.target.partition("?")[0]]
        self._request_id = new_request_id()
        self._received_at = datetime.now(UTC)
        self._began = time.monotonic()
        self._body: bytes | None = None
        self._caller: Caller | None = None
        self._relay: MeteredRelay | None = None
        self._task: asyncio.Task[None] | None = None
        self._place: Entered | None = None
        self._pass: Pass | None = None
        self._status = 0
        self._unsent_head = _NO_HEAD
        self._is_chunked = False
        self._is_over = False

    # From the connection.

    def begin(self) -> None:
        """Judges the head. The body may not have come yet."""
        head, front = self._head, self._front
        assert head is not None, "a turn begins once"
        try:
            fault = front.edge.fault(head.edge, "POST", head.target)
            if fault is not None:
                return self.refuse(fault)
            key = key_in(head.presented)
            if isinstance(key, ErrorReply):
                return self.refuse(key)
            caller = front.admission.known_caller(key)
            if caller is None:
                return self._later(self._ask_caller(key))
            passed = front.admission.known_pass(caller, metered=True)
            if passed is None:
                return self._later(self._ask_pass(caller))
            self._take_caller(caller, passed)
        except Exception as error:  # noqa: BLE001  whatever it is, the client gets an answer and the log its type
            self._crashed(error)

    def take_body(self, body: bytes) -> None:
        """The whole body has come."""
        self._body = body
        if self._caller is not None:
            try:
                self._take_request()
            except Exception as error:  # noqa: BLE001
                self._crashed(error)

    def client_left(self) -> None:
        """The connection is gone."""
        if self._is_over:
            return
        self._tell(CLIENT_LEFT_STATUS)
        if self._task is not None:
            self._task.cancel()
        if self._relay is not None:
            self._relay.client_left()

    def pause(self) -> None:
        """The client reads too slowly."""
        if self._relay is not None:
            self._relay.pause()

    def resume(self) -> None:
        if self._relay is not None:
            self._relay.resume()

    # Admission.

    def _take_caller(self, caller: Caller, passed: Pass | ErrorReply) -> None:
        if isinstance(passed, ErrorReply):
            return self.refuse(passed)
        self._pass = passed
        place = self._front.admission.enter(caller)
        if isinstance(place, ErrorReply):
            return self.refuse(place)
        self._place = place
        self._caller = caller
        if self._body is not None:
            self._take_request()

    def _take_request(self) -> None:
        body, caller = self._body, self._caller
        assert body is not None, "the body has come"
        assert caller is not None, "the key was admitted"
        admission = self._front.admission
        accepted = admission.read(body, self._received_at)
        if isinstance(accepted, ErrorReply):
            return self.refuse(accepted)
        nanousd = admission.most(accepted, body, self._received_at)
        hold = admission.known_hold(caller, nanousd, self._received_at)
        if hold is None:
            return self._later(self._ask_hold(caller, accepted, nanousd))
        return self._forward(caller, accepted, hold)

    def _forward(self, caller: Caller, accepted: Accepted, hold: Hold) -> None:
        front, head, body = self._front, self._head, self._body
        assert head is not None, "a request is forwarded once"
        assert body is not None, "the body has come"
        # Nothing of the request is kept while its answer runs.
        self._head = self._body = None
        assert self._pass is not None, "the key was admitted"
        admitted = Admitted(self._request_id, self._received_at, caller, accepted, hold, self._pass)
        self._relay = front.relays.start(self, admitted, head.target, head.lines, body)

    def _later(self, asking: Coroutine[None, None, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(self._guarded(asking), name="admission")

    async def _guarded(self, asking: Coroutine[None, None, None]) -> None:
        try:
            await asking
        except Exception as error:  # noqa: BLE001
            self._crashed(error)

    async def _ask_caller(self, key: ApiKey) -> None:
        caller = await self._front.admission.caller(key, self._request_id)
        if isinstance(caller, ErrorReply):
            self.refuse(caller)
        else:
            await self._ask_pass(caller)

    async def _ask_pass(self, caller: Caller) -> None:
        self._take_caller(caller, await self._front.admission.pass_for(caller, metered=True))

    async def _ask_hold(self, caller: Caller, accepted: Accepted, nanousd: int) -> None:
        hold = await self._front.admission.hold(caller, nanousd, self._received_at, self._request_id)
        if isinstance(hold, ErrorReply):
            self.refuse(hold)
        else:
            self._forward(caller, accepted, hold)

    def _crashed(self, error: Exception) -> None:
        if self._is_over:
            raise error
        self._front.log.error("handler_crashed", request_id=self._request_id, error=kind_of(error))
        self.refuse(internal_error())

    # From the relay: `crouter.runtime.front.client.Client`.

    def answer_begins(self, status: int, returned: Returned) -> None:
        """The head of the answer; it leaves with the first bytes."""
        self._status = status
        self._unsent_head, self._is_chunked = answer_head(status, returned, self._front.date)

    def write(self, data: bytes) -> None:
        """Bytes of the body, one chunk if there are chunks."""
        head, self._unsent_head = self._unsent_head, _NO_HEAD
        if self._is_chunked and data:
            data = b"%b%x\r\n%b\r\n" % (head, len(data), data)
        elif head:
            data = head + data
        if data:
            self._connection.write(data)

    def finish(self, data: bytes) -> None:
        """The last bytes, and the end, in one write."""
        head, self._unsent_head = self._unsent_head, _NO_HEAD
        if not self._is_chunked:
            if head:
                data = head + data
        elif data:
            data = b"%b%x\r\n%b\r\n0\r\n\r\n" % (head, len(data), data)
        else:
            data = head + _LAST_CHUNK
        self._over(self._status, data)

    def refuse(self, error: ErrorReply) -> None:
        """An answer of our own."""
        front = self._front
        headers = (*error.headers(self._request_id), *front.edge.own_headers)
        self._over(error.status, whole_answer(error.status, headers, error.body(self._request_id), front.date()))

    def break_off(self, status: int) -> None:
        """The client sees its connection end before the answer does."""
        self._tell(status)
        self._connection.abort()

    def _over(self, status: int, data: bytes) -> None:
        # Told before the bytes leave: whoever has the answer can find its line.
        self._tell(status)
        self._connection.turn_over(data)

    def _tell(self, status: int) -> None:
        self._is_over = True
        if self._place is not None:
            self._place.close()
        if self._pass is not None:
            self._pass.close()
        self._front.teller.answered(self._request_id, self._route, "POST", status, self._began)
