"""Writes log lines that hold declared fields only.

A line is a JSON object. A field that the policy does not declare, or a value that is not of the declared kind,
is dropped and counted before anything is written. No kind can carry free text, so that content, keys
and addresses have no way in. What other libraries log is `crouter.runtime.log_capture`.
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Literal, Protocol, TextIO

from crouter.contract.observation import LogFieldKind, LogStream
from crouter.runtime.words import is_word

Level = Literal["debug", "info", "warning", "error"]
LogValue = str | int | float | datetime

BUFFERED_SECONDS: Final = 0.05
_REQUEST_ID = re.compile(r"req_[0-9a-f]{32}")
_EXAMPLE_ID: Final = "req_" + 32 * "0"
_OWN: Final = frozenset({"time", "level", "event"})
_MILLISECONDS: Final = tuple(f".{millisecond:03d}Z" for millisecond in range(1000))
# Stand in the example of a pattern's line for what each line has of its own.
_PLACES: Final = ("<time>", "<request>", "<number>")


class UndeclaredFieldError(Exception):
    """A strict log was given a field that is not declared, or a value of another kind. Names the field only."""


class Schedule(Protocol):
    """`call_later` of an event loop."""

    def __call__(self, delay: float, callback: Callable[[], None], /) -> object: ...


class Log:
    """One declared stream, written to `out`, a line at a time.

    `dropped` is told the stream's name for every field that was left out; `strict` raises instead.
    """

    def __init__(
        self,
        stream: LogStream,
        out: TextIO,
        *,
        dropped: Callable[[str], None] = lambda stream: None,
        strict: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stream = stream.name
        self._kinds = {field.name: field.kind for field in stream.fields}
        self._out = out
        self._dropped = dropped
        self._strict = strict
        self._clock = clock
        self._second = -1
        self._second_text = ""
        self._schedule: Schedule | None = None
        self._waiting: list[str] = []

    def info(self, event: str, **fields: LogValue) -> None:
        self.write("info", event, **fields)

    def warning(self, event: str, **fields: LogValue) -> None:
        self.write("warning", event, **fields)

    def error(self, event: str, **fields: LogValue) -> None:
        self.write("error", event, **fields)

    def write(self, level: Level, event: str, **fields: LogValue) -> None:
        """Writes one line, at once. Raises UndeclaredFieldError in a strict log, otherwise nothing."""
        values = {"time": datetime.fromtimestamp(self._clock(), UTC), "level": level, "event": event, **fields}
        self._waiting.append(_encoded(self.fields(values)))
        self.flush()

    def pattern(self, level: Level, event: str, *, request_id: str, number: str, **fields: LogValue) -> "Pattern":
        """A line that is written often: `fields` are judged once, here.

        `request_id` and `number` name the fields that each line has a value of its own for; the latter comes last.
        """
        return Pattern(self, level, event, request_id, number, fields)

    @contextmanager
    def buffered(self, schedule: Schedule) -> Iterator[None]:
        """Lets ordinary lines of a pattern wait for others, `BUFFERED_SECONDS` at most, until the block ends."""
        self._schedule = schedule
        try:
            yield
        finally:
            self._schedule = None
            self.flush()

    def flush(self) -> None:
        """Writes what waits."""
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        try:
            self._out.write("".join(lines))
            self._out.flush()
        except (OSError, ValueError):
            # Nobody reads the log any more; the service goes on, and there is no other place to tell it.
            return

    def add(self, line: str) -> None:
        """Takes a whole line of a pattern."""
        waiting = self._waiting
        waiting.append(line)
        if self._schedule is None:
            self.flush()
        elif len(waiting) == 1:
            self._schedule(BUFFERED_SECONDS, self.flush)

    def fields(self, values: dict[str, LogValue]) -> dict[str, str | int | float]:
        """The declared fields among `values`; tells of the others. Raises UndeclaredFieldError in a strict log."""
        line: dict[str, str | int | float] = {}
        for name, value in values.items():
            written = _written(self._kinds.get(name), value)
            if written is None:
                # A stream may leave out even its time; that is the policy's choice, not a mistake.
                if name not in _OWN or name in self._kinds:
                    self._drop(name)
                continue
            line[name] = written
        return line

    def would_drop(self, name: str, value: LogValue) -> bool:
        """Whether a field has no place in this stream's lines."""
        return _written(self._kinds.get(name), value) is None

    def now(self) -> str:
        """The time of a line, in milliseconds and UTC."""
        at = self._clock()
        second = int(at)
        if second != self._second:
            self._second = second
            self._second_text = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return self._second_text + _MILLISECONDS[int((at - second) * 1000)]

    def _drop(self, name: str) -> None:
        if self._strict:
            raise UndeclaredFieldError(f"{name if is_word(name) else 'a field'} does not belong into {self._stream}")
        self._dropped(self._stream)


class Pattern:
    """Lines of one event that differ in their time, their request and one number."""

    __slots__ = ("_event", "_fields", "_level", "_log", "_number", "_pieces", "_request_id")

    def __init__(
        self, log: Log, level: Level, event: str, request_id: str, number: str, fields: dict[str, LogValue]
    ) -> None:
        self._log = log
        self._level: Level = level
        self._event = event
        self._request_id = request_id
        self._number = number
        self._fields = fields
        self._pieces = self._made()

    def write(self, request_id: str, number: int | float) -> None:
        """One line. Raises UndeclaredFieldError in a strict log, otherwise nothing."""
        pieces = self._pieces
        if pieces is None or not _REQUEST_ID.fullmatch(request_id) or type(number) is not int:
            fields = {self._request_id: request_id, **self._fields, self._number: number}
            self._log.write(self._level, self._event, **fields)
        else:
            before, behind_time, behind_request, end = pieces
            self._log.add(f"{before}{self._log.now()}{behind_time}{request_id}{behind_request}{number}{end}")

    def _made(self) -> tuple[str, str, str, str] | None:
        """What stands around the values of its own; None where a line lacks one, which has to be told every time."""
        example: dict[str, LogValue] = {
            "time": datetime.now(UTC),
            "level": self._level,
            "event": self._event,
            self._request_id: _EXAMPLE_ID,
            **self._fields,
            self._number: 0,
        }
        if any(self._log.would_drop(name, value) for name, value in example.items()):
            return None
        time_is, request_is, number_is = _PLACES
        line = {**self._log.fields(example), "time": time_is, self._request_id: request_is, self._number: number_is}
        before, _, rest = _encoded(line).partition(time_is)
        behind_time, _, rest = rest.partition(request_is)
        # A number stands without quotes.
        behind_request, _, end = rest.partition(f'"{number_is}"')
        return before, behind_time, behind_request, end


def _encoded(line: dict[str, str | int | float]) -> str:
    return json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n"


def _written(kind: LogFieldKind | None, value: LogValue) -> str | int | float | None:
    match kind:
        case "timestamp" if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case "word" if isinstance(value, str) and is_word(value):
            return value
        case "number" if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
        case "request_id" if isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
        case _:
            return None
