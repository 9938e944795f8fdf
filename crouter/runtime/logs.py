"""Writes log lines that hold declared fields only.

A line is a JSON object. A field that the policy does not declare, or a value that is not of the declared kind,
is dropped and counted before anything is written. No kind can carry free text, so that content, keys
and addresses have no way in. What other libraries log is `crouter.runtime.log_capture`.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal, TextIO

from crouter.contract.observation import LogFieldKind, LogStream
from crouter.runtime.words import is_word

Level = Literal["debug", "info", "warning", "error"]
LogValue = str | int | float | datetime

_REQUEST_ID = re.compile(r"req_[0-9a-f]{32}")
_OWN: Final = frozenset({"time", "level", "event"})


class UndeclaredFieldError(Exception):
    """A strict log was given a field that is not declared, or a value of another kind. Names the field only."""


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
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._stream = stream.name
        self._kinds = {field.name: field.kind for field in stream.fields}
        self._out = out
        self._dropped = dropped
        self._strict = strict
        self._clock = clock

    def info(self, event: str, **fields: LogValue) -> None:
        self.write("info", event, **fields)

    def warning(self, event: str, **fields: LogValue) -> None:
        self.write("warning", event, **fields)

    def error(self, event: str, **fields: LogValue) -> None:
        self.write("error", event, **fields)

    def write(self, level: Level, event: str, **fields: LogValue) -> None:
        """Writes one line. Raises UndeclaredFieldError in a strict log, otherwise nothing."""
        line: dict[str, str | int | float] = {}
        for name, value in {"time": self._clock(), "level": level, "event": event, **fields}.items():
            written = _written(self._kinds.get(name), value)
            if written is None:
                # A stream may leave out even its time; that is the policy's choice, not a mistake.
                if name not in _OWN or name in self._kinds:
                    self._drop(name)
                continue
            line[name] = written
        try:
            self._out.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
            self._out.flush()
        except (OSError, ValueError):
            # Nobody reads the log any more; the service goes on, and there is no other place to tell it.
            return

    def _drop(self, name: str) -> None:
        if self._strict:
            raise UndeclaredFieldError(f"{name if is_word(name) else 'a field'} does not belong into {self._stream}")
        self._dropped(self._stream)


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
