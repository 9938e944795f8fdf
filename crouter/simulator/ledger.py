"""What the simulator was asked and what it reported, attempt by attempt, in memory.

Holds no content: paths are route names, models are names from the catalogue. Only a simulator made
with `record=True` keeps the request itself, for tests.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ATTEMPTS_MAX = 10_000

# How an attempt can end.
OPEN = "open"
COMPLETE = "complete"
CLIENT_LEFT = "client_left"
BROKEN_OFF = "broken_off"
STOPPED = "stopped"


@dataclass(frozen=True)
class Recorded:
    """A request as it arrived, byte for byte. Header names keep their case."""

    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        wanted = name.lower().encode()
        return next((v.decode("latin-1") for n, v in self.headers if n.lower() == wanted), None)


@dataclass
class Attempt:
    """One request. `usage` has the upstream's own shape, last value per field; `ended_after_s`
    counts from the arrival of the request's head. `outcome`: open, complete, client_left (before
    the end), broken_off (by a script) or stopped (with the simulator)."""

    number: int
    request_id: str
    started_at: str
    method: str
    path: str
    model: str | None = None
    stream: bool = False
    status: int | None = None
    usage: dict[str, Any] | None = None
    bytes_sent: int = 0
    outcome: str = OPEN
    ended_after_s: float | None = None
    request: Recorded | None = field(default=None, repr=False)

    def wire(self) -> dict[str, Any]:
        """The attempt without the recorded request."""
        return {name: value for name, value in vars(self).items() if name != "request"}


@dataclass(frozen=True)
class BatchLine:
    """What one request of a message batch used, as its result reports it."""

    batch_id: str
    custom_id: str
    model: str
    usage: dict[str, Any]


class Ledger:
    """All attempts, oldest first; the oldest are forgotten beyond ATTEMPTS_MAX, and so are `batch_lines`."""

    def __init__(self) -> None:
        self.batch_lines: deque[BatchLine] = deque(maxlen=ATTEMPTS_MAX)
        self._attempts: deque[Attempt] = deque(maxlen=ATTEMPTS_MAX)
        self._count = 0
        self._open = 0
        self._settled = asyncio.Event()
        self._settled.set()

    def __iter__(self) -> Iterator[Attempt]:
        return iter(tuple(self._attempts))

    def __len__(self) -> int:
        return len(self._attempts)

    def __getitem__(self, place: int) -> Attempt:
        return self._attempts[place]

    def begin(self, *, request_id: str, started_at: str, method: str, path: str) -> Attempt:
        """A new attempt, open until `end`."""
        self._count += 1
        self._open += 1
        self._settled.clear()
        attempt = Attempt(self._count, request_id, started_at, method, path)
        self._attempts.append(attempt)
        return attempt

    def end(self, attempt: Attempt, outcome: str, after_s: float) -> None:
        """Close an attempt. Every attempt is ended exactly once."""
        assert attempt.outcome == OPEN
        attempt.outcome = outcome
        attempt.ended_after_s = round(after_s, 4)
        self._open -= 1
        if not self._open:
            self._settled.set()

    async def settled(self, timeout_s: float = 5.0) -> None:
        """Wait until no attempt is open. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._settled.wait()

    def wire(self) -> dict[str, Any]:
        """What `GET /simulator/ledger` answers."""
        return {"attempts": [attempt.wire() for attempt in self._attempts]}
