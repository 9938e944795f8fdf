"""One attempt at the upstream, from its first byte to the one record it leaves. Does no I/O and knows no prices.

    started → head seen → streaming → ended

The owner of the sockets tells what happened; the attempt reads a copy of the answer and, when told that it is
over, gives exactly one draft of a usage record, or None where the upstream reported no usage. The rule it
keeps: never billed above what the upstream reported. An error without usage bills nothing; when a client
leaves, what had been reported until then is billed, and not more.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from crouter.runtime.proxy.content_coding import PLAIN, Decoder, Reading, Unreadable, decoder_for
from crouter.runtime.proxy.dialects import MESSAGES, Dialect, Tap
from crouter.runtime.proxy.events import AnswerFacts
from crouter.runtime.proxy.options import ServiceOptions
from crouter.runtime.proxy.usage import UsageCounts

JSON_BYTES_MAX: Final = 64 * 1024 * 1024


class State(Enum):
    STARTED = "started"
    HEAD_SEEN = "head_seen"
    STREAMING = "streaming"
    ENDED = "ended"


class Ending(Enum):
    """What the owner of the sockets saw."""

    UPSTREAM_CLOSED = "upstream_closed"  # the answer's body ended as HTTP says it does
    UPSTREAM_BROKE_OFF = "upstream_broke_off"  # no answer, a reset, a timeout, a short body
    CLIENT_LEFT = "client_left"
    CRASHED = "crashed"  # our own fault


class Outcome(Enum):
    """What became of the attempt. A whole answer is complete, whatever happened after it."""

    COMPLETE = "complete"
    UPSTREAM_ERROR = "upstream_error"
    TRUNCATED = "truncated"
    CLIENT_LEFT = "client_left"
    CRASHED = "crashed"


# Not frozen, and with an `__init__` of its own: one is made for every answer, several times as fast.
@dataclass(init=False, slots=True)
class UsageRecordDraft:
    """Everything a usage record and its price need, and nothing of the content. Never changed once made."""

    model_requested: str
    model_reported: str | None
    options_requested: ServiceOptions
    counts: UsageCounts
    outcome: Outcome
    status: int
    billable: bool
    output_is_placeholder: bool
    unknown_keys: tuple[str, ...]
    anomalies: tuple[str, ...]

    def __init__(
        self,
        model_requested: str,
        model_reported: str | None,
        options_requested: ServiceOptions,
        counts: UsageCounts,
        outcome: Outcome,
        status: int,
        billable: bool,
        output_is_placeholder: bool,
        unknown_keys: tuple[str, ...],
        anomalies: tuple[str, ...],
    ) -> None:
        self.model_requested = model_requested
        self.model_reported = model_reported
        self.options_requested = options_requested
        self.counts = counts
        self.outcome = outcome
        self.status = status
        self.billable = billable
        self.output_is_placeholder = output_is_placeholder
        self.unknown_keys = unknown_keys
        self.anomalies = anomalies


class Attempt:
    """Made when a request is about to leave; `end` must be called once, on every path."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_decoder",
        "_dialect",
        "_model",
        "_options",
        "_status",
        "_tap",
        "anomalies",
        "state",
    )

    def __init__(self, model: str, options: ServiceOptions, dialect: Dialect = MESSAGES) -> None:
        self.state = State.STARTED
        # What an alarm should say, by name only; filled by `end`, also where it returns None.
        self.anomalies: tuple[str, ...] = ()
        self._model = model
        self._options = options
        self._dialect = dialect
        self._status = 0
        self._decoder: Decoder | Unreadable = PLAIN
        self._tap: Tap | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0

    @property
    def ended(self) -> bool:
        """Whether `end` was called, for a `finally` that has to make sure."""
        return self.state is State.ENDED

    @property
    def has_head(self) -> bool:
        """Whether an answer began."""
        return self._status > 0

    @property
    def is_stream(self) -> bool:
        """Whether the answer is a stream of events."""
        return self._tap is not None

    @property
    def has_stopped(self) -> bool:
        """Whether a stream has said its last word, `message_stop`."""
        return self._tap is not None and self._tap.facts.stopped

    def head(self, status: int, content_type: str | None, content_encoding: str | None) -> None:
        """The upstream's final status line and headers have arrived."""
        assert self.state is State.STARTED, "one attempt has one response head"
        self.state = State.HEAD_SEEN
        self._status = status
        self._decoder = decoder_for(content_encoding)
        if content_type is not None and _is_events(content_type):
            self._tap = self._dialect.tap()

    def body(self, data: bytes) -> None:
        """Bytes of the answer, as they came; called before or after they are relayed. Never raises for them."""
        assert self.state in (State.HEAD_SEEN, State.STREAMING), "a body comes between head and end"
        self.state = State.STREAMING
        decoder = self._decoder
        if decoder is PLAIN:
            if self._tap is None:
                self._keep(data)
            else:
                self._tap.feed(data)
            return
        if isinstance(decoder, Unreadable):
            return
        take: Callable[[bytes], None] = self._keep if self._tap is None else self._tap.feed
        for piece in decoder.pieces(data):
            take(piece)

    def end(self, ending: Ending) -> UsageRecordDraft | None:
        """Ends the attempt. The draft, or None if nothing was reported that could be billed."""
        assert not self.ended, "an attempt ends once"
        facts = self._facts()
        self.state = State.ENDED
        usage = facts.usage
        outcome = self._outcome(facts, ending)
        if outcome is not Outcome.COMPLETE or self._decoder is not PLAIN or not usage.reported:
            for anomaly in self._found(usage.reported, outcome, ending):
                usage.note(anomaly)
        self.anomalies = usage.anomalies
        self._tap = None
        self._body.clear()
        if not usage.reported:
            return None
        return UsageRecordDraft(
            model_requested=self._model,
            model_reported=facts.model,
            options_requested=self._options,
            counts=usage.counts(),
            outcome=outcome,
            status=self._status,
            billable=not _refused_before_output(facts),
            output_is_placeholder=usage.output_is_placeholder,
            unknown_keys=usage.unknown_keys,
            anomalies=self.anomalies,
        )

    def _keep(self, piece: bytes) -> None:
        self._body_bytes += len(piece)
        if self._body_bytes <= JSON_BYTES_MAX:
            self._body.append(piece)
        else:
            self._body.clear()

    def _facts(self) -> AnswerFacts:
        if self._tap is not None:
            self._tap.close()
            facts = self._tap.facts
        elif self._body:
            facts = self._dialect.facts_of_body(self._body[0] if len(self._body) == 1 else b"".join(self._body))
        else:
            facts = AnswerFacts()
        return facts

    def _found(self, reported: bool, outcome: Outcome, ending: Ending) -> Iterator[str]:
        if self._status >= 400 or self._status == 0:
            return
        if isinstance(self._decoder, Unreadable):
            yield "content_coding_unreadable"
        elif self._decoder.reading is not Reading.READABLE:
            yield f"content_coding_{self._decoder.reading.value}"
        elif self._body_bytes > JSON_BYTES_MAX:
            yield "body_too_large"
        elif ending is Ending.UPSTREAM_CLOSED and outcome is Outcome.TRUNCATED:
            yield "answer_incomplete"
        elif outcome is Outcome.COMPLETE and not reported:
            yield "usage_missing"

    def _outcome(self, facts: AnswerFacts, ending: Ending) -> Outcome:
        if facts.error_type is not None or self._status >= 400:
            return Outcome.UPSTREAM_ERROR
        if facts.stopped:
            return Outcome.COMPLETE
        if ending is Ending.CLIENT_LEFT:
            return Outcome.CLIENT_LEFT
        if ending is Ending.CRASHED:
            return Outcome.CRASHED
        return Outcome.TRUNCATED


def _is_events(content_type: str) -> bool:
    # The forms that are usual come first.
    if content_type == "application/json":
        return False
    if content_type == "text/event-stream" or content_type.startswith("text/event-stream;"):
        return True
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


def _refused_before_output(facts: AnswerFacts) -> bool:
    # The upstream bills nothing for a refusal that comes before any output, though it reports counts.
    return facts.stop_reason == "refusal" and not facts.content_began
