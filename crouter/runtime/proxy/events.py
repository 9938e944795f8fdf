"""Taps an answer of the Messages API: reads usage and the way it ended, and nothing of its content.

The tap gets decoded bytes cut anywhere. It parses the four events that matter; the data of all others, which is
nearly everything, is passed over without a copy. A line is buffered only while it may still matter, up to
`EVENT_BYTES_MAX`. Framing follows the HTML standard, 9.2.6: LF, CR and CRLF, comments, data over several
lines, optional space after the colon.
"""

import re
from typing import Final

from crouter.runtime.proxy.event_members import UNDECODABLE, Event, decode_event, decode_message, decode_type
from crouter.runtime.proxy.usage import UsageMeter, reported_model

EVENT_BYTES_MAX: Final = 256 * 1024

_NAME_LINE_BYTES_MAX: Final = 64
_TEXT_CHARS_MAX: Final = 64
# Longer than a byte order mark and either field name: a line of this length has shown what it is.
_LINE_HEAD_BYTES: Final = 16
_BOM: Final = b"\xef\xbb\xbf"

_READ: Final = frozenset({b"message_start", b"message_delta", b"message_stop", b"error"})
_PASSED_OVER: Final = frozenset({b"content_block_start", b"content_block_delta", b"content_block_stop", b"ping"})
_NO_NAME: Final = b""
# What is whole and in the form that the upstream gives it: events of one name that are passed over, any number of them,
# or one other event, whose name and data are the last two groups. Of many events only the first is compared with names:
# bytes are compared with bytes faster than with a pattern.
_WHOLE: Final = re.compile(
    rb"(event: (?:content_block_delta|ping|content_block_stop)\ndata: )[^\n]*+\n\n(?:\1[^\n]*+\n\n)*+"
    rb"|event: (message_start|message_delta|message_stop|error|content_block_start)\ndata: ([^\n]*+)\n\n"
)
_PASSED_OVER_GROUP: Final = 1
_DELTA: Final = b"event: content_block_delta\ndata: "


class AnswerFacts:
    """What is known of one answer, however it was transported."""

    __slots__ = ("content_began", "error_type", "model", "stop_reason", "stopped", "usage")

    def __init__(self) -> None:
        self.usage = UsageMeter()
        self.model: str | None = None
        self.stop_reason: str | None = None
        self.content_began = False
        self.stopped = False
        self.error_type: str | None = None


class EventTap:
    """Reads a stream of server-sent events. Feed it decoded bytes, then `close()` it once."""

    __slots__ = ("_after_cr", "_data", "_data_bytes", "_line", "_name", "_skips_line", "_starts", "facts")

    def __init__(self) -> None:
        self.facts = AnswerFacts()
        self._name = _NO_NAME
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._line = bytearray()
        self._skips_line = False
        self._after_cr = False
        self._starts = True

    def feed(self, data: bytes) -> None:
        """Reads on. Never raises for anything the upstream may send."""
        # By its number: a byte string is found, too, but every search for one makes an exception first.
        if self._after_cr or 0x0D in data:
            data = self._with_line_feeds(data)
        begins_an_event = not (self._line or self._name or self._data_bytes or self._skips_line or self._starts)
        if begins_an_event and _is_one_delta(data):
            return
        position = 0
        if self._line or self._skips_line:
            end = data.find(b"\n")
            if end < 0:
                self._keep_unfinished(data, 0)
                return
            self._finish_line(data[:end])
            position = end + 1
        while position < len(data):
            if self._name == _NO_NAME and not self._data_bytes:
                whole = _WHOLE.match(data, position)
                if whole is not None:
                    self._starts = False
                    position = whole.end()
                    if whole.lastindex != _PASSED_OVER_GROUP:
                        self._take_whole(*whole.group(2, 3))
                    continue
            end = data.find(b"\n", position)
            if end < 0:
                self._keep_unfinished(data, position)
                return
            if end == position:
                self._dispatch()
            elif self._name not in _PASSED_OVER or not data.startswith(b"data:", position):
                self._take_line(data[position:end])
            position = end + 1

    def close(self) -> None:
        """The stream has ended. A last event without its empty line counts if its JSON is whole."""
        if self._line and not self._skips_line:
            self._take_line(bytes(self._line))
        self._dispatch(cut_short=True)
        self._line.clear()

    def _with_line_feeds(self, data: bytes) -> bytes:
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            self._after_cr = False
        if data:
            self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _finish_line(self, rest: bytes) -> None:
        if not self._skips_line:
            line = bytes(self._line) + rest
            if line:
                self._take_line(line)
            else:
                self._dispatch()
        self._skips_line = False
        self._line.clear()

    def _keep_unfinished(self, data: bytes, position: int) -> None:
        if self._skips_line:
            return
        line = self._line
        # The margin covers what comes before the value, so that every cut gives the same answer.
        if len(line) + len(data) - position > EVENT_BYTES_MAX + _LINE_HEAD_BYTES:
            # Too long to be of use; only its beginning decides whether that is a loss.
            line += data[position : position + _LINE_HEAD_BYTES]
            if self._may_matter(line):
                self._data_bytes = EVENT_BYTES_MAX + 1
            self._skip_line()
            return
        line += data[position:]
        if len(line) >= _LINE_HEAD_BYTES and not self._may_matter(line):
            self._skip_line()

    def _skip_line(self) -> None:
        self._starts = False
        self._skips_line = True
        self._line.clear()

    def _may_matter(self, head: bytearray) -> bool:
        if self._starts and head.startswith(_BOM):
            head = head[len(_BOM) :]
        if head.startswith(b"data:"):
            return self._name not in _PASSED_OVER
        return head.startswith(b"event:") and len(head) <= _NAME_LINE_BYTES_MAX

    def _take_line(self, line: bytes) -> None:
        if self._starts:
            self._starts = False
            line = line.removeprefix(_BOM)
            if not line:
                self._dispatch()
                return
        field, colon, value = line.partition(b":")
        if colon and value[:1] == b" ":
            value = value[1:]
        if field == b"data":
            self._take_data(value)
        elif field == b"event" and len(line) <= _NAME_LINE_BYTES_MAX:
            self._name = value

    def _take_data(self, value: bytes) -> None:
        if self._name in _PASSED_OVER:
            return
        self._data_bytes += len(value) + 1
        if self._data_bytes <= EVENT_BYTES_MAX:
            self._data.append(value)
        else:
            self._data.clear()

    def _take_whole(self, name: bytes, data: bytes) -> None:
        if name == b"content_block_start":
            self.facts.content_began = True
        elif len(data) < EVENT_BYTES_MAX:
            self._take_event(name, data, cut_short=False)
        else:
            self.facts.usage.note("event_too_large")

    def _dispatch(self, *, cut_short: bool = False) -> None:
        name, data, too_large = self._name, self._data, self._data_bytes > EVENT_BYTES_MAX
        self._name = _NO_NAME
        if name in _PASSED_OVER:
            if name == b"content_block_start":
                self.facts.content_began = True
            if data:
                self._data = []
            self._data_bytes = 0
            return
        self._data_bytes = 0
        if too_large:
            self._data = []
            if name in _READ or name == _NO_NAME:
                self.facts.usage.note("event_too_large")
        elif data:
            self._data = []
            self._take_event(name, b"\n".join(data), cut_short=cut_short)

    def _take_event(self, name: bytes, data: bytes, *, cut_short: bool) -> None:
        usage = self.facts.usage
        if name not in _READ:
            if name != _NO_NAME:
                usage.note("event_unknown")
                return
            name = _type_in(data)
            if name not in _READ:
                if name == b"content_block_start":
                    self.facts.content_began = True
                return
        try:
            event = decode_event(data)
        except UNDECODABLE:
            # Cut off in the middle, an event has simply not been reported.
            if not cut_short:
                usage.note("event_malformed")
                if name == b"error":
                    self.facts.error_type = "unnamed"
            return
        self._take_facts(name, event)

    def _take_facts(self, name: bytes, event: Event) -> None:
        facts = self.facts
        if name == b"message_start":
            message = event.message
            if message is not None:
                facts.model = reported_model(message.model)
                facts.usage.update(message.usage, at_start=True)
        elif name == b"message_delta":
            facts.usage.update(event.usage)
            delta = event.delta
            reason = None if delta is None else delta.stop_reason
            if isinstance(reason, str):
                facts.stop_reason = reason[:_TEXT_CHARS_MAX]
        elif name == b"message_stop":
            facts.stopped = True
        else:
            kind = event.error.type if event.error is not None else None
            facts.error_type = kind[:_TEXT_CHARS_MAX] if isinstance(kind, str) else "unnamed"


def _is_one_delta(data: bytes) -> bool:
    # What nearly every read is while an answer is being written: one whole event that nothing is read of.
    return data.startswith(_DELTA) and data.endswith(b"\n\n") and data.find(b"\n", len(_DELTA)) == len(data) - 2


def facts_of_message(body: bytes) -> AnswerFacts:
    """The facts of a complete, decoded JSON answer; `stopped` only if the body is whole JSON.

    A body without a `usage` object, such as an error or a list of models, reports nothing.
    """
    facts = AnswerFacts()
    try:
        message = decode_message(body)
    except UNDECODABLE:
        return facts
    facts.stopped = True
    facts.model = reported_model(message.model)
    facts.usage.update(message.usage)
    content, reason = message.content, message.stop_reason
    # No copy is made of what is longer than an empty list.
    facts.content_began = len(content) > 2 or bytes(content) not in (b"", b"[]")
    if isinstance(reason, str):
        facts.stop_reason = reason[:_TEXT_CHARS_MAX]
    return facts


def _type_in(data: bytes) -> bytes:
    try:
        kind = decode_type(data).type
    except UNDECODABLE:
        return _NO_NAME
    return kind.encode("utf-8", "replace") if isinstance(kind, str) else _NO_NAME
