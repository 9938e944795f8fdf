"""Reads the usage out of what was sent, so that the ledger holds what the client could have seen.

Works on bytes and on purpose shares nothing with the code that writes them: scripted replies are
read the same way, and a test may compare a proxy's records with it.
"""

import json
from typing import Any

Json = dict[str, Any]


def merge_usage(known: Json, news: Json) -> Json:
    """The last value that was not null, field by field, nested objects included."""
    merged = dict(known)
    for name, value in news.items():
        if isinstance(value, dict) and isinstance(merged.get(name), dict):
            merged[name] = merge_usage(merged[name], value)
        elif value is not None:
            merged[name] = value
    return merged


class ReportedUsage:
    """Feed it what was sent; `usage` is what had been reported by then, None if nothing was."""

    def __init__(self, *, streamed: bool) -> None:
        self._streamed = streamed
        self._pending = bytearray()
        self.usage: Json | None = None

    def feed(self, data: bytes) -> None:
        """More bytes of the body, cut anywhere."""
        self._pending += data
        if not self._streamed:
            return
        *lines, rest = bytes(self._pending).split(b"\n")
        self._pending = bytearray(rest)
        for line in lines:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._read(value)

    def finish(self) -> None:
        """The body ended."""
        if not self._streamed:
            self._read(bytes(self._pending))
        self._pending.clear()

    def _read(self, text: bytes) -> None:
        try:
            value = json.loads(text)
        except ValueError:
            # A scripted reply may hold anything; what no client can parse reports nothing.
            return
        if not isinstance(value, dict):
            return
        message = value.get("message")
        for holder in (message, value):
            usage = holder.get("usage") if isinstance(holder, dict) else None
            if isinstance(usage, dict):
                self.usage = merge_usage(self.usage or {}, usage)
