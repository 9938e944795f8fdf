"""Takes out of a stream of chat completions the one chunk that only we asked for. Does no I/O.

Every other byte passes as it came. An event is let go when it is whole, because only then it shows what it is.
"""

from typing import Final

from crouter.runtime.proxy.completions import is_usage_chunk

# No usage chunk is near this long: an event that is passes in pieces.
EVENT_BYTES_MAX: Final = 64 * 1024


class UsageChunkFilter:
    """Feed it the stream's bytes, uncompressed; it gives those that go on."""

    def __init__(self) -> None:
        self._event = bytearray()
        self._passes = False

    def feed(self, data: bytes) -> bytes:
        """What may go on after these bytes."""
        self._event += data
        let_go: list[bytes] = []
        while (end := _end_of_event(self._event)) is not None:
            event = bytes(self._event[:end])
            del self._event[:end]
            if self._passes or not _is_ours(event):
                let_go.append(event)
            self._passes = False
        if self._passes or len(self._event) > EVENT_BYTES_MAX:
            # A line feed may be half of the empty line that ends the event.
            keep = 3
            let_go.append(bytes(self._event[:-keep]))
            del self._event[:-keep]
            self._passes = True
        return b"".join(let_go)

    def close(self) -> bytes:
        """What is left when the stream has ended."""
        rest = bytes(self._event)
        self._event.clear()
        return b"" if not self._passes and _is_ours(rest) else rest


def _end_of_event(data: bytearray) -> int | None:
    ends = [found + len(mark) for mark in (b"\n\n", b"\r\n\r\n", b"\r\r") if (found := data.find(mark)) >= 0]
    return min(ends) if ends else None


def _is_ours(event: bytes) -> bool:
    if b'"usage"' not in event:
        return False
    lines = event.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return bool(data) and is_usage_chunk(b"\n".join(data))
