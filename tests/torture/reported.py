"""What an answer reports, read a second time: independent of the library's own tap, slow and plain.

`reports` gives the counts that hold after each report, with the place in the body where the report is complete. A
count is the last value that is a whole number from zero to 10**12, or to 10**6 where it counts requests; anything else
says nothing. The price of counts is computed from the price book's file alone.
"""

import json
import re
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from tests.torture.journals import Counts, Sent

COUNT_MAX: Final = 10**12
# A million times the fee of a search still fits into the ledger's 64 bits.
REQUESTS_MAX: Final = 10**6
_GROUPS: Final = ("cache_creation", "server_tool_use")
_BLANK = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Report:
    """From the byte `end` of the body on, these counts are known; `stopped` after the last word of a message."""

    end: int
    counts: Counts
    stopped: bool


def reports(sent: Sent) -> tuple[Report, ...]:
    """All that one attempt reported, in order; places are 0 where the body is compressed and cannot be mapped."""
    body = bytes(sent.body)
    if sent.coding:
        return tuple(Report(0, report.counts, report.stopped) for report in _reports(_unpacked(body), sent.media_type))
    return _reports(body, sent.media_type)


def _reports(body: bytes, media_type: str) -> tuple[Report, ...]:
    if media_type != "text/event-stream":
        return _of_message(body)
    found: list[Report] = []
    usage: dict[str, Any] = {}
    stopped = False
    for end, event in _events(body):
        reported = event.get("message", {}).get("usage") if event.get("type") == "message_start" else event.get("usage")
        if event.get("type") in ("message_start", "message_delta") and isinstance(reported, dict):
            _take(usage, reported)
        elif event.get("type") == "message_stop":
            stopped = True
        else:
            continue
        found.append(Report(end, _counts(usage), stopped))
    return tuple(found)


def _of_message(body: bytes) -> tuple[Report, ...]:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(message, dict) or not isinstance(message.get("usage"), dict):
        return ()
    usage: dict[str, Any] = {}
    _take(usage, message["usage"])
    return (Report(len(body), _counts(usage), True),)


def _events(body: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Every event whose data is whole JSON, with the place where that data ends."""
    events = []
    start = 0
    while start < len(body):
        blank = _BLANK.search(body, start)
        block_end = blank.start() if blank else len(body)
        data: list[bytes] = []
        data_end = position = start
        block = body[start:block_end]
        # Nearly all bytes are text, and text reports nothing.
        for line in _LINE_END.split(block) if b"message_" in block else ():
            position = body.find(line, position) + len(line) if line else position
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
                data_end = position
        try:
            event = json.loads(b"\n".join(data)) if data else None
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict):
            events.append((data_end, event))
        start = blank.end() if blank else len(body)
    return events


def _take(usage: dict[str, Any], reported: dict[str, Any]) -> None:
    for key, value in reported.items():
        if key in _GROUPS:
            if isinstance(value, dict):
                _take(usage.setdefault(key, {}), value)
        elif type(value) is int and 0 <= value <= (REQUESTS_MAX if key.endswith("_requests") else COUNT_MAX):
            usage[key] = value


def _counts(usage: dict[str, Any]) -> Counts:
    split = usage.get("cache_creation", {})
    five, hour = split.get("ephemeral_5m_input_tokens"), split.get("ephemeral_1h_input_tokens")
    total = usage.get("cache_creation_input_tokens")
    if total is not None:
        five = total - (hour or 0)
    return Counts(
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        cache_write_5m_tokens=five,
        cache_write_1h_tokens=hour,
        cache_read_tokens=usage.get("cache_read_input_tokens"),
        web_search_requests=usage.get("server_tool_use", {}).get("web_search_requests"),
    )


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(47)
    try:
        return unpacking.decompress(body)
    except zlib.error:
        return b""


@cache
def _rates(model: str) -> dict[str, int]:
    book = json.loads(resources.files("crouter.runtime.pricing").joinpath("price_book.json").read_bytes())
    rows = [
        row for entry in book["models"] if model in (entry["id"], *entry.get("aliases", ())) for row in entry["prices"]
    ]
    plain = [row for row in rows if not {"speed", "inference_geo", "service_tier", "until", "from"} & row.keys()]
    assert len(plain) == 1, "the scenarios' model has one price"
    return {key: value for key, value in plain[0].items() if isinstance(value, int)}


def cost(counts: Counts, model: str) -> int:
    """Nanodollars, of a model that has a single ordinary price."""
    rates = _rates(model)
    return (
        (counts.input_tokens or 0) * rates["input"]
        + (counts.output_tokens or 0) * rates["output"]
        + (counts.cache_write_5m_tokens or 0) * rates["cache_write_5m"]
        + (counts.cache_write_1h_tokens or 0) * rates["cache_write_1h"]
        + (counts.cache_read_tokens or 0) * rates["cache_read"]
        + (counts.web_search_requests or 0) * rates["web_search"]
    )
