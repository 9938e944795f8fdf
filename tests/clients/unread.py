"""Batches that nobody reads, and what bills them, with the clock of a test."""

from datetime import UTC, datetime, timedelta
from typing import Any

from crouter.runtime.front.passage import Passage
from crouter.runtime.running import Running
from crouter.runtime.unread_batches import UnreadBatches
from tests.behaviour.service import Service
from tests.clients.batching import Customer, asked, ended

DUE = timedelta(days=25, minutes=1)


def passage(running: Running) -> Passage:
    parts = running.parts
    return Passage(parts.deployment, parts.channel, parts.keys, parts.metrics)


def later(running: Running, age: timedelta = DUE) -> UnreadBatches:
    """What bills in a process whose clock is so far ahead."""
    return UnreadBatches(running.parts, passage(running), now=lambda: datetime.now(UTC) + age)


async def unread(who: Customer, *requests: Any) -> str:
    """A batch that has ended, and that nobody reads."""
    made = await who.sdk.messages.batches.create(requests=requests or [asked("a"), asked("b")])
    await ended(who.sdk, made.id)
    return made.id


def the_record(service: Service) -> dict[str, Any]:
    (record,) = service.rows("batch")
    return record


def is_held(record: dict[str, Any]) -> bool:
    return record["settled_at"] is None and record["ended_at"] is None


def readings(service: Service) -> int:
    """How often the upstream was asked for results."""
    requests = [attempt.request for attempt in service.simulator.ledger]
    return sum(request is not None and request.target.endswith("/results") for request in requests)
