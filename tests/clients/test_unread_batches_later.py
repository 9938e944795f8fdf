"""What nobody reads is billed later where it cannot be now: not ended, refused, broken off, away, stopped."""

import asyncio
from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from crouter.runtime import unread_batches
from crouter.runtime.ending import end_task
from crouter.runtime.unread_batches import UnreadBatches
from crouter.simulator import Reset, Scripted, Send, Stall
from crouter.simulator.errors import Refusal
from tests.behaviour.service import Service, until
from tests.clients.batching import Customer, asked, assert_billed_once
from tests.clients.unread import is_held, later, readings, the_record, unread


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread_batches, "PAUSE_SECONDS", 0.0)


async def test_one_that_has_not_ended_stays_reserved_and_is_billed_when_it_has(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    service.simulator.batches.looks = 3
    await ada.sdk.messages.batches.create(requests=[asked("a")])
    due = later(service.running)
    for _ in range(3):
        assert await due.look() is False
        assert is_held(the_record(service))
    assert (readings(service), service.rows("usage")) == (0, [])
    await due.look()
    assert not is_held(the_record(service))
    assert_billed_once(service, ada)


async def test_one_that_the_upstream_no_longer_knows_is_over(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    await unread(ada)
    service.simulator.batches._batches.clear()
    await later(service.running).look()
    assert the_record(service)["ended_at"] is not None
    assert service.rows("usage") == []


async def test_one_without_results_any_more_holds_nothing_and_is_still_seen(
    service: Service, two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = two
    name = await unread(ada)
    gone = Refusal("not_found_error", "the results of this batch are no longer there")
    monkeypatch.setattr(service.simulator.batches, "results", lambda batch_id: gone)
    await later(service.running).look()
    record = the_record(service)
    assert record["settled_at"] is not None
    assert record["ended_at"] is None
    assert service.rows("usage") == []
    assert [batch.id async for batch in ada.sdk.messages.batches.list()] == [name]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 529])
async def test_an_upstream_that_refuses_is_asked_again(
    service: Service, two: tuple[Customer, Customer], status: int
) -> None:
    ada, _ = two
    await unread(ada)
    batch = service.simulator.batches._batches[the_record(service)["upstream_id"]]
    due = later(service.running)
    service.simulator.script(next=Scripted.json({"type": "error"}, status))
    assert await due.look() is False
    assert is_held(the_record(service))
    await _until_a_key_is_there(service)
    service.simulator.script(next=Scripted.json(batch.wire("")))
    service.simulator.script(next=Scripted.json({"type": "error"}, status))
    await due.look()
    await due.look()
    assert is_held(the_record(service))
    assert service.rows("usage") == []
    await _until_billed(due, service)
    assert_billed_once(service, ada)


async def _until_a_key_is_there(service: Service) -> None:
    """After a refusal our key may rest for a while."""
    keys = service.running.parts.keys
    await until(lambda: all(key.state == "healthy" for key in keys.health()), 20)


async def _until_billed(due: UnreadBatches, service: Service) -> None:
    async def is_billed() -> bool:
        await due.look()
        return not is_held(the_record(service))

    await until(is_billed, 30)


async def test_results_that_break_off_are_read_again_and_billed_once(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    name = await unread(ada, *(asked(f"r{number}") for number in range(30)))
    lines = service.simulator.batches.results(name)
    assert isinstance(lines, bytes)
    service.simulator.script(next=Scripted.json({"processing_status": "ended"}))
    service.simulator.script(next=Scripted.stream([Send(lines[: len(lines) // 2]), Reset(0.2)]))
    due = later(service.running)
    assert await due.look() is False
    assert 0 < len(service.rows("usage")) < 30
    assert is_held(the_record(service))
    await _until_billed(due, service)
    assert_billed_once(service, ada)


@pytest.mark.parametrize("table", ["usage", "batch"])
async def test_a_database_that_is_away_is_asked_again(
    service: Service, two: tuple[Customer, Customer], table: str
) -> None:
    ada, _ = two
    await unread(ada)
    due = later(service.running)
    async with await psycopg.AsyncConnection.connect(service.dsn) as away:
        lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier("crouter", table))
        await away.execute(lock)
        assert await due.look() is False
    assert is_held(the_record(service))
    assert service.rows("usage") == []
    assert service.out.getvalue().count("unread_batches_wait") == 1
    await _until_billed(due, service)
    assert_billed_once(service, ada)


async def test_one_that_always_fails_stands_in_the_way_of_no_other(
    service: Service, two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = two
    bad, good = await unread(ada), await unread(ada)
    find = service.simulator.batches.results

    def some(batch_id: str) -> bytes | Refusal:
        return Refusal("api_error", "never") if batch_id == bad else find(batch_id)

    monkeypatch.setattr(service.simulator.batches, "results", some)
    due = later(service.running)
    for _ in range(4):
        await due.look()
        await _until_a_key_is_there(service)
    assert [row["upstream_id"] for row in service.rows("batch") if is_held(row)] == [bad]
    assert readings(service) > 2, "and it is tried again"
    monkeypatch.undo()
    monkeypatch.setattr(unread_batches, "PAUSE_SECONDS", 0.0)
    for _ in range(2):
        await due.look()
    assert not any(map(is_held, service.rows("batch")))
    assert_billed_once(service, ada)
    assert {row["upstream_id"] for row in service.rows("batch")} == {bad, good}


async def test_a_run_is_bounded_and_the_next_one_goes_on(
    service: Service, two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread_batches, "BATCHES_A_RUN", 2)
    ada, _ = two
    for _ in range(3):
        await unread(ada, asked("a"))
    due = later(service.running)
    assert await due.look() is True
    assert [is_held(row) for row in sorted(service.rows("batch"), key=_made_at)] == [False, False, True]
    assert await due.look() is False
    assert_billed_once(service, ada)


def _made_at(record: dict[str, Any]) -> datetime:
    at = record["created_at"]
    assert isinstance(at, datetime)
    return at


async def test_a_service_that_stops_breaks_a_reading_off_and_leaves_no_lock(
    service: Service, two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread_batches, "START_SECONDS", 0.0)
    ada, _ = two
    await unread(ada)
    service.simulator.script(next=Scripted.json({"processing_status": "ended"}))
    service.simulator.script(next=Scripted.stream([Stall()]))
    task = asyncio.create_task(later(service.running).run())
    await until(lambda: readings(service) == 1)
    async with asyncio.timeout(2):
        await end_task(task)
    await service.simulator.ledger.settled()
    assert service.simulator.ledger[-1].outcome == "client_left"
    assert is_held(the_record(service))
    await later(service.running).look()
    assert_billed_once(service, ada)
