"""Reads the results of a message batch: lines of JSON, each with what one request used. Does no I/O.

A line is let go only whole, after its record is written. Of a line that succeeded, its message is read as any answer
is; `custom_id` goes into the id of the record and nowhere else.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from crouter.runtime.proxy.attempt import Attempt, Ending, UsageRecordDraft
from crouter.runtime.proxy.batches import BATCH_TIER
from crouter.runtime.proxy.options import service_options
from crouter.runtime.proxy.usage import reported_model

LINE_BYTES_MAX: Final = 32 * 1024 * 1024


class _Result(msgspec.Struct):
    type: Any = None
    message: msgspec.Raw = msgspec.Raw(b"")


class _Line(msgspec.Struct):
    custom_id: Any = None
    result: _Result | None = None


class _Message(msgspec.Struct):
    model: Any = None


_decode_line = msgspec.json.Decoder(_Line).decode
_decode_message = msgspec.json.Decoder(_Message).decode
_UNDECODABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


class LineTooLongError(Exception):
    """A line of results does not end: nothing of it may be let go."""


@dataclass(frozen=True, slots=True)
class Used:
    """What one line says was used. `id` is the same whenever the line is read."""

    id: uuid.UUID
    draft: UsageRecordDraft


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines: their bytes, what they used, and what an alarm should say."""

    data: bytes
    used: tuple[Used, ...]
    anomalies: tuple[str, ...]


class ResultLines:
    """Cuts one answer into whole lines. `record` is the id of the batch's ownership record."""

    def __init__(self, record: uuid.UUID) -> None:
        self._record = record
        self._rest: list[bytes] = []
        self._rest_bytes = 0

    def feed(self, piece: bytes) -> Lines | None:
        """The lines that `piece` completes, None if it completes none. Raises LineTooLongError."""
        end = piece.rfind(b"\n") + 1
        if end == 0:
            self._keep(piece)
            return None
        whole = b"".join((*self._rest, piece[:end]))
        self._rest.clear()
        self._rest_bytes = 0
        self._keep(piece[end:])
        return self._read(whole)

    def close(self) -> Lines | None:
        """What was left without a line feed, when the answer ended as it should."""
        rest = b"".join(self._rest)
        self._rest.clear()
        return self._read(rest) if rest else None

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._rest.append(rest)
            self._rest_bytes += len(rest)
        if self._rest_bytes > LINE_BYTES_MAX:
            raise LineTooLongError

    def _read(self, data: bytes) -> Lines:
        used: list[Used] = []
        anomalies: list[str] = []
        for line in data.split(b"\n"):
            if line.strip():
                _take(line, self._record, used, anomalies)
        return Lines(data, tuple(used), tuple(anomalies))


def record_id(record: uuid.UUID, custom_id: str) -> uuid.UUID:
    """The id of a usage row, from the batch's record and the request's own id.

    The record's random id is the key: it goes with the record, and then nobody can tell what a row's id was made from.
    """
    digest = hmac.new(record.bytes, custom_id.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return uuid.UUID(bytes=digest[:16], version=5)


def _take(line: bytes, record: uuid.UUID, used: list[Used], anomalies: list[str]) -> None:
    try:
        decoded = _decode_line(line)
    except _UNDECODABLE:
        anomalies.append("batch_line_unreadable")
        return
    result = decoded.result
    if result is None or not isinstance(result.type, str) or not isinstance(decoded.custom_id, str):
        anomalies.append("batch_line_unreadable")
    elif result.type == "succeeded":
        draft, found = _draft(bytes(result.message))
        anomalies.extend(found)
        if draft is not None:
            used.append(Used(record_id(record, decoded.custom_id), draft))


def _draft(message: bytes) -> tuple[UsageRecordDraft | None, tuple[str, ...]]:
    """The draft of one message. It costs what a batch costs, whichever tier the upstream names."""
    try:
        model = reported_model(_decode_message(message).model)
    except _UNDECODABLE:
        model = None
    attempt = Attempt(model or "", service_options(service_tier=BATCH_TIER))
    attempt.head(200, "application/json", None)
    attempt.body(message)
    draft = attempt.end(Ending.UPSTREAM_CLOSED)
    if draft is None:
        return None, attempt.anomalies
    unknown = tuple(f"unknown:{key}" for key in draft.unknown_keys)
    counts = replace(draft.counts, service_tier=BATCH_TIER)
    return replace(draft, counts=counts), (*attempt.anomalies, *unknown)
