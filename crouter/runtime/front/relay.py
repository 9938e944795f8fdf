"""One metered request from the moment it is admitted: forwarded, relayed as it comes, tapped, settled.

The end of an answer leaves only after its record is safe. What carries the end is held back meanwhile: in a stream the
bytes from `message_stop` on, otherwise the last bytes of the body. If the record cannot be written, the answer
ends with an error that the client can see. A client that leaves cancels the upstream at once, and what was reported
until then is settled. Whoever owns the client's socket is a `Client`; nothing here knows how that is written to.
Both forms of the API are relayed here: what differs is the request's `dialect`, and what its `cut` takes out.
"""

import asyncio
import time
import uuid
from typing import Any, Final

from crouter.runtime.egress import HeaderLines, UpstreamError, UpstreamExchange, UpstreamTimeoutError
from crouter.runtime.front.admitted import Admitted, settlement_of
from crouter.runtime.front.client import Client
from crouter.runtime.front.passage import Passage
from crouter.runtime.parts import Parts
from crouter.runtime.proxy.attempt import Attempt, Ending
from crouter.runtime.proxy.errors import (
    ErrorReply,
    authentication_failed,
    internal_error,
    overloaded,
    unavailable,
    upstream_timed_out,
    upstream_unreachable,
)
from crouter.runtime.proxy.headers import Headers
from crouter.runtime.proxy.retries import Answered, Next, NotAnswered, after_attempt
from crouter.runtime.proxy.upstream_keys import Outcome, Report, Taken, Unavailable, report_answer
from crouter.runtime.proxy.usage_chunk import UsageChunkFilter
from crouter.runtime.settling import NotRecordedError
from crouter.runtime.usage import Settlement
from crouter.runtime.words import kind_of

HELD_BYTES_MAX: Final = 1024 * 1024
_ANSWERED, _FAULTY, _UNKNOWN = Report(Outcome.ANSWERED), Report(Outcome.FAULTY), Report(Outcome.UNKNOWN)


class Relays:
    """Starts relays, and keeps the tasks that outlive them."""

    def __init__(self, parts: Parts, passage: Passage) -> None:
        self.parts = parts
        self.passage = passage
        self._tasks: set[asyncio.Task[Any]] = set()
        self._under_way: set[MeteredRelay] = set()

    @property
    def accounts(self) -> frozenset[uuid.UUID]:
        """Whose requests are under way."""
        return frozenset(relay.account for relay in self._under_way)

    def end_account(self, account: uuid.UUID) -> None:
        """Breaks off whatever is under way for an account that has ended. What was reported until now is settled."""
        for relay in [relay for relay in self._under_way if relay.account == account]:
            relay.account_ended()

    def begun(self, relay: "MeteredRelay") -> None:
        """A relay runs from now on."""
        self._under_way.add(relay)

    def over(self, relay: "MeteredRelay") -> None:
        """Its attempt has ended."""
        self._under_way.discard(relay)

    def start(
        self, client: Client, admitted: Admitted, target: str, headers: Headers | HeaderLines, body: bytes
    ) -> "MeteredRelay":
        """Forwards one request, whose `headers` are those that may leave."""
        relay = MeteredRelay(self, client, admitted)
        relay.start(target, headers, body)
        return relay

    def keep(self, task: "asyncio.Task[Any]") -> None:
        """Holds on to a task until it is done, also when the client has left."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, seconds: float) -> None:
        """Waits so long for what is kept; then it is cancelled, and told of."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            self.parts.log.error("tasks_given_up", count=len(late))
            await asyncio.wait(late)


class MeteredRelay:
    """Carries one admitted request through, as the receiver of the upstream's answer."""

    __slots__ = (
        "_admitted",
        "_attempt",
        "_attempts",
        "_client",
        "_cut",
        "_exchange",
        "_has_written",
        "_held",
        "_held_bytes",
        "_holds",
        "_is_stream",
        "_relays",
        "_report_of_key",
        "_request",
        "_taken",
        "_takes_an_event",
    )

    def __init__(self, relays: Relays, client: Client, admitted: Admitted) -> None:
        self._relays = relays
        self._client: Client | None = client
        self._admitted = admitted
        self._attempt = Attempt(admitted.accepted.model, admitted.accepted.options, admitted.dialect)
        # Set while a stream runs of which something is to be cut out.
        self._cut: UsageChunkFilter | None = None
        self._exchange: UpstreamExchange | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._holds = False
        self._is_stream = False
        self._takes_an_event = False
        # The request, until an answer to it begins; the key it was sent with, until the attempt has ended.
        self._request: tuple[str, Headers | HeaderLines, bytes] | None = None
        self._taken: Taken | None = None
        self._attempts = 0
        self._report_of_key = _ANSWERED
        self._has_written = False

    def start(self, target: str, headers: Headers | HeaderLines, body: bytes) -> None:
        """Forwards the request; called once."""
        self._request = (target, headers, body)
        self._relays.begun(self)
        taken = self._relays.passage.keys.take((), self._admitted.accepted.model)
        if isinstance(taken, Unavailable):
            self._end(Ending.UPSTREAM_BROKE_OFF, overloaded(taken.retry_after_seconds))
        else:
            self._try(taken)

    def _try(self, taken: Taken) -> None:
        """One attempt, with one key."""
        assert self._request is not None, "a request is kept until an answer to it begins"
        target, headers, body = self._request
        self._taken = taken
        self._attempts += 1
        try:
            passage, dialect = self._relays.passage, self._admitted.dialect
            self._exchange = passage.exchange("POST", target, headers, body, self, taken, dialect)
        except Exception as error:  # noqa: BLE001
            self._crashed(error)

    # The client's side.

    def client_left(self) -> None:
        """The client is gone: the upstream is cancelled at once, and what it reported is settled."""
        self._client = None
        if not self._attempt.ended:
            self._cancel()
            self._end(Ending.CLIENT_LEFT, None)

    @property
    def account(self) -> uuid.UUID:
        return self._admitted.caller.account

    def account_ended(self) -> None:
        """Whoever asked may not ask any more: the upstream is cancelled, and the client sees why."""
        if not self._attempt.ended:
            self._cancel()
            self._end(Ending.CLIENT_LEFT, authentication_failed())

    def pause(self) -> None:
        """The client reads too slowly: nothing more is read from the upstream until `resume`."""
        if self._exchange is not None:
            self._exchange.pause()

    def resume(self) -> None:
        if self._exchange is not None:
            self._exchange.resume()

    # The upstream's side: `crouter.runtime.egress.Receiver`.

    def head(self, status: int, headers: Headers) -> None:
        """The head of the answer."""
        try:
            if status >= 400 and self._tried_again(Answered(status), headers):
                return
            self._request = None
            self._take_head(status, headers)
        except Exception as error:  # noqa: BLE001  whatever it is, the client gets an answer and the log its type
            self._crashed(error)

    def body(self, data: bytes) -> None:
        """What one read brought of the body."""
        try:
            self._attempt.body(data)
            client = self._client
            if client is None:
                return
            if self._cut is not None:
                data = self._cut.feed(data)
                if not data:
                    return
            if self._holds or (self._is_stream and self._attempt.has_stopped):
                self._hold(client, data)
            else:
                self._has_written = True
                client.write(data)
        except Exception as error:  # noqa: BLE001
            self._crashed(error)

    def end(self) -> None:
        """The answer is over, as HTTP says."""
        try:
            self._end(Ending.UPSTREAM_CLOSED, None)
        except Exception as error:  # noqa: BLE001
            self._crashed(error)

    def broke_off(self, error: UpstreamError) -> None:
        """There is no answer, or no more of it."""
        try:
            if self._request is not None and self._tried_again(NotAnswered(error.nothing_sent), ()):
                return
            self._end(Ending.UPSTREAM_BROKE_OFF, upstream_fault(error))
        except Exception as crash:  # noqa: BLE001
            self._crashed(crash)

    def _tried_again(self, result: Answered | NotAnswered, headers: Headers) -> bool:
        """Whether another attempt is under way instead, of which the client sees nothing."""
        taken, passage = self._taken, self._relays.passage
        following = after_attempt(self._attempts, "POST", result, client_got_bytes=False)
        if taken is None or self._client is None or following is Next.GIVE_UP:
            return False
        without = (taken.label,) if following is Next.OTHER_KEY else ()
        other = passage.keys.take(without, taken.model)
        if isinstance(other, Unavailable):
            return False
        self._cancel()
        self._taken = None
        passage.give_back(taken, _report(result, headers))
        self._try(other)
        return True

    def _take_head(self, status: int, headers: Headers) -> None:
        attempt = self._attempt
        passage = self._relays.passage
        if status != 200:
            self._report_of_key = _report(Answered(status), headers)
        returned = passage.returned(headers, self._admitted.request_id)
        returned.headers += self._admitted.passed.standing().headers(time.time())
        attempt.head(status, returned.content_type, returned.content_encoding)
        self._is_stream = is_stream = attempt.is_stream
        if is_stream and self._admitted.cut is not None and not returned.content_encoding:
            self._cut = self._admitted.cut
            returned.without_length()
        # A plain stream of no declared length: an event of ours can follow what was sent.
        self._takes_an_event = is_stream and not (returned.content_encoding or returned.content_length)
        self._holds = status < 400 and not is_stream
        if self._client is not None:
            self._client.answer_begins(status, returned)
            if is_stream:
                # If nothing of the body came with it: a client shows that it has begun.
                asyncio.get_running_loop().call_soon(self._send_head)

    def _send_head(self) -> None:
        client = self._client
        if client is not None and not self._has_written and not self._held:
            self._has_written = True
            client.write(b"")

    def _hold(self, client: Client, data: bytes) -> None:
        held = self._held
        held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes <= HELD_BYTES_MAX:
            return
        if self._is_stream:
            # It has said that it is over, and goes on: what came until here is whole.
            self._cancel()
            self._end(Ending.UPSTREAM_BROKE_OFF, None)
            return
        while len(held) > 1 and self._held_bytes > HELD_BYTES_MAX:
            first = held.pop(0)
            self._held_bytes -= len(first)
            self._has_written = True
            client.write(first)

    # The end.

    def _end(self, ending: Ending, fault: ErrorReply | None) -> None:
        is_whole = ending is Ending.UPSTREAM_CLOSED or self._attempt.has_stopped
        settlement = settlement_of(self._admitted, self._attempt, ending, self._relays.parts)
        self._relays.over(self)
        self._request = None
        if self._taken is not None:
            self._give_back(ending)
        settling = self._relays.parts.settling
        if settlement is None or settling.record(settlement, self._admitted.hold):
            self._conclude(None if is_whole else fault)
        elif self._client is None:
            # Nobody waits for it any more.
            settling.keep(settlement, self._admitted.hold)
        else:
            recording = self._record(settlement, None if is_whole else fault)
            self._relays.keep(asyncio.get_running_loop().create_task(recording, name="recording"))

    def _give_back(self, ending: Ending) -> None:
        taken, self._taken = self._taken, None
        assert taken is not None, "a key is given back once"
        report = self._report_of_key
        if ending is Ending.UPSTREAM_BROKE_OFF and not self._attempt.has_stopped:
            report = _FAULTY
        elif not self._attempt.has_head:
            report = _UNKNOWN
        self._relays.passage.give_back(taken, report)

    async def _record(self, settlement: Settlement, fault: ErrorReply | None) -> None:
        try:
            await self._relays.parts.settling.recorded(settlement, self._admitted.hold)
        except NotRecordedError:
            fault = unavailable()
        self._conclude(fault)

    def _conclude(self, fault: ErrorReply | None) -> None:
        """Ends the answer: whole, or with `fault`."""
        client, held, self._client, self._held = self._client, self._held, None, []
        if client is None:
            return
        if fault is None:
            if self._cut is not None:
                held.append(self._cut.close())
            client.finish(held[0] if len(held) == 1 else b"".join(held))
        elif not self._has_written:
            client.refuse(fault)
        elif self._takes_an_event:
            client.finish(fault.event(self._admitted.request_id))
        else:
            # Nothing can be added to such a body; the client has to see that it is not whole.
            client.break_off(fault.status)

    def _crashed(self, error: Exception) -> None:
        self._relays.parts.log.error("handler_crashed", request_id=self._admitted.request_id, error=kind_of(error))
        self._cancel()
        self._takes_an_event = False
        if self._attempt.ended:
            self._conclude(internal_error())
        else:
            self._end(Ending.CRASHED, internal_error())

    def _cancel(self) -> None:
        if self._exchange is not None:
            self._exchange.cancel()


def _report(result: Answered | NotAnswered, headers: Headers) -> Report:
    if isinstance(result, NotAnswered):
        return _FAULTY
    wait = next((value for name, value in headers if name.lower() == "retry-after"), None)
    return report_answer(result.status, None, wait)


def upstream_fault(error: UpstreamError) -> ErrorReply:
    """What a client is told when the upstream gave no answer of its own."""
    return upstream_timed_out() if isinstance(error, UpstreamTimeoutError) else upstream_unreachable()
