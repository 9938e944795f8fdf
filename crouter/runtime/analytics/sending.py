"""Sends events to the processor beside everything else: a bounded queue, dropped rather than waited for.

A page never waits for this. When the processor is away events are dropped at the door until it is there again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from crouter.runtime.analytics.events import Event
from crouter.runtime.analytics.openpanel import TARGET, track_body, track_headers
from crouter.runtime.analytics.settings import AnalyticsSettings
from crouter.runtime.egress import ContentChannel, EgressRefusedError, UpstreamError
from crouter.runtime.metrics import Metrics
from crouter.runtime.proxy.circuit import Circuit, CircuitRules

QUEUE_EVENTS_MAX: Final = 1_000
TOGETHER_MAX: Final = 8
PAUSE_SECONDS: Final = 2.0
RULES: Final = CircuitRules(failures_min=3, open_seconds=30.0, open_seconds_max=600.0)
METRIC: Final = "crouter_analytics_events_total"


class Sender:
    """Takes events at any time and sends them in batches while `run` runs."""

    def __init__(
        self,
        channel: ContentChannel,
        settings: AnalyticsSettings,
        metrics: Metrics,
        *,
        pause: float = PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._headers = track_headers(settings)
        self._metrics = metrics
        self._pause = pause
        self._clock = clock
        self._circuit = Circuit(RULES)
        self._queue: deque[Event] = deque()
        self._waiting = asyncio.Event()

    def offer(self, event: Event) -> None:
        """Takes the event, or drops it; never waits."""
        if not self._circuit.may_pass(self._clock()) and not self._queue:
            self.tell("away")
        elif len(self._queue) >= QUEUE_EVENTS_MAX:
            self.tell("queue_full")
        else:
            self._queue.append(event)
            self._waiting.set()

    def tell(self, outcome: str) -> None:
        """Counts what became of an event."""
        self._metrics.count(METRIC, outcome=outcome)

    async def run(self) -> None:
        """Sends what is queued, until cancelled. What is still queued then is dropped."""
        while True:
            await self._waiting.wait()
            # What comes together is sent together.
            await asyncio.sleep(self._pause)
            while self._queue:
                count = TOGETHER_MAX if self._circuit.state(self._clock()) == "closed" else 1
                together = [self._queue.popleft() for _ in range(min(count, len(self._queue)))]
                await asyncio.gather(*(self._send(event) for event in together))
            self._waiting.clear()

    async def _send(self, event: Event) -> None:
        if not self._circuit.may_pass(self._clock()):
            self.tell("away")
            return
        was_probe = self._circuit.begin()
        try:
            answer = await self._channel.send("POST", TARGET, self._headers, track_body(event))
        except (UpstreamError, EgressRefusedError):
            status = 0
        else:
            status = answer.status
            # Nothing in the answer is of use; what it says about a device or a session is not kept.
            answer.close()
        if 200 <= status < 300:
            self._circuit.succeeded(was_probe=was_probe)
            self.tell("sent")
        else:
            self._circuit.failed(self._clock(), was_probe=was_probe)
            self.tell("failed" if status else "away")
