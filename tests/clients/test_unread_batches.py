"""What nobody reads is billed all the same: once, by one process, before the upstream and the record forget it."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime import unread_batches
from crouter.runtime.batches import BatchRecords
from crouter.runtime.database.pool import Database
from crouter.runtime.names import BATCH
from crouter.runtime.retention.options import RetentionOptions
from crouter.runtime.retention.run import run_retention
from crouter.runtime.unread_batches import bill_unread_batches
from crouter.simulator import Scripted, Send, Wait
from tests.behaviour.service import Service, serving, until
from tests.clients.batching import PATH, Customer, asked, assert_billed_once, customer, results
from tests.clients.conftest import GENERATED
from tests.clients.test_batch_credit import process_beside
from tests.clients.unread import is_held, later, passage, readings, the_record, unread


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unread_batches, "PAUSE_SECONDS", 0.0)


async def test_what_nobody_reads_is_billed_once_at_the_price_of_a_batch(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    name = await unread(ada, asked("canary-name", "simulate: echo\ncanary-text"), asked("b", "simulate: overloaded"))
    assert await later(service.running).look() is False
    assert_billed_once(service, ada)
    record = the_record(service)
    assert record["settled_at"] is not None
    assert record["ended_at"] is None, "its owner sees it as before"
    assert {row["occurred_at"] for row in service.rows("usage")} == {record["created_at"]}
    request = service.simulator.ledger[-1].request
    assert request is not None
    assert (request.method, request.target, request.body) == ("GET", f"{PATH}/{name}/results", b"")
    for table in ("batch", "usage", "ledger"):
        assert "canary" not in str(service.rows(table))
    assert "canary" not in service.out.getvalue()
    assert name not in service.out.getvalue()
    assert service.out.getvalue().count("unread_batches_ended") == 1
    assert await results(ada.sdk, name) == {"canary-name": "succeeded", "b": "errored"}
    assert_billed_once(service, ada)


async def test_without_it_the_reservation_stays_until_the_record_goes_and_nothing_is_ever_billed(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    """The control: the upstream has billed us, and everything that knew of it is gone after 30 days."""
    ada, _ = two
    await unread(ada)
    assert len(service.simulator.ledger.batch_lines) == 2
    for days in (25, 29):
        removed = await _purge(service, timedelta(days=days))
        assert (removed, is_held(the_record(service))) == (0, True)
    assert await _purge(service, timedelta(days=30, minutes=1)) == 1
    assert service.rows("usage") == []
    assert {row["kind"] for row in service.rows("ledger")} == {"grant"}


async def _purge(service: Service, age: timedelta, rule: str = "batch") -> int:
    deployment = service.running.parts.deployment
    options = RetentionOptions(
        rule=rule, as_of=datetime.now(UTC) + age, allow_future=True, share_percent_max=100, rows_always_allowed=9
    )
    (result,) = await asyncio.to_thread(run_retention, service.dsn, deployment, options)
    assert result.outcome == "complete", result
    return result.removed


async def test_its_owner_has_25_days_to_read_first(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    await unread(ada)
    before = len(service.simulator.ledger)
    assert await later(service.running, timedelta(days=25) - timedelta(minutes=1)).look() is False
    assert len(service.simulator.ledger) == before
    assert is_held(the_record(service))


async def test_what_was_read_or_deleted_is_not_asked_for_again(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, mary = two
    await results(ada.sdk, await unread(ada))
    await mary.sdk.messages.batches.delete(await unread(mary))
    before = len(service.simulator.ledger)
    assert await later(service.running).look() is False
    assert len(service.simulator.ledger) == before


async def test_doing_it_twice_changes_nothing(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    await unread(ada, *(asked(f"r{number}") for number in range(30)))
    unread_ones = later(service.running)
    await unread_ones.look()
    # As if the process had been killed between the last record and the end of the reservation.
    with psycopg.connect(service.dsn) as connection:
        connection.execute("UPDATE crouter.batch SET settled_at = NULL")
    await unread_ones.look()
    assert readings(service) == 2
    assert_billed_once(service, ada)
    assert not is_held(the_record(service))


async def test_two_processes_at_once_read_and_bill_once(
    service: Service, deployment: Deployment, two: tuple[Customer, Customer], tmp_path: Path
) -> None:
    ada, _ = two
    await unread(ada, *(asked(f"r{number}") for number in range(30)))
    async with AsyncExitStack() as stack:
        other = await process_beside(service, deployment, tmp_path, stack)
        await asyncio.gather(later(service.running).look(), later(other).look())
    assert readings(service) == 1
    assert_billed_once(service, ada)


async def test_without_the_lock_both_would_read_and_it_would_be_billed_once_all_the_same(
    service: Service,
    deployment: Deployment,
    two: tuple[Customer, Customer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @contextlib.asynccontextmanager
    async def with_others(database: Database, name: str) -> AsyncIterator[bool]:
        yield True

    monkeypatch.setattr(unread_batches, "alone", with_others)
    ada, _ = two
    await unread(ada, *(asked(f"r{number}") for number in range(30)))
    for _ in range(2):
        service.simulator.script(next=Scripted.stream([Wait(0.5), Send(b'{"processing_status":"ended"}')]))
    async with AsyncExitStack() as stack:
        other = await process_beside(service, deployment, tmp_path, stack)
        await asyncio.gather(later(service.running).look(), later(other).look())
    assert readings(service) == 2
    assert_billed_once(service, ada)


async def test_an_erased_account_is_billed_for_nothing_and_nothing_is_asked_for_it(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    await unread(ada)
    _erase(service, ada)
    before = len(service.simulator.ledger)
    await later(service.running).look()
    assert len(service.simulator.ledger) == before
    assert service.rows("usage") == []


async def test_of_an_account_that_is_erased_while_its_results_are_read_nothing_comes_back(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    name = await unread(ada)
    lines = service.simulator.batches.results(name)
    assert isinstance(lines, bytes)
    service.simulator.script(next=Scripted.json({"processing_status": "ended"}))
    service.simulator.script(next=Scripted.stream([Wait(0.5), Send(lines)]))
    task = asyncio.create_task(later(service.running).look())
    await until(lambda: readings(service) == 1)
    _erase(service, ada)
    await task
    assert service.rows("usage") == []
    assert {row["kind"] for row in service.rows("ledger")} == {"grant"}


def _erase(service: Service, who: Customer) -> None:
    with psycopg.connect(service.dsn) as connection:
        connection.execute("UPDATE crouter.account SET erased_at = now() WHERE id = %s", (who.account,))


async def test_what_is_billed_while_a_deletion_can_be_taken_back_goes_with_the_account(
    service: Service, two: tuple[Customer, Customer]
) -> None:
    ada, _ = two
    await unread(ada)
    await service.accounts.request_deletion(ada.account)
    await later(service.running).look()
    assert_billed_once(service, ada)
    await _purge(service, timedelta(days=40), "deletion")
    for table in ("usage", "batch"):
        assert service.rows(table) == []
    assert ada.account not in {row["account_id"] for row in service.rows("ledger")}


async def test_a_running_service_does_it_by_itself(
    deployment: Deployment, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("START_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(unread_batches, name, 0.05)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving(deployment, dsn, GENERATED))
        grace = await customer(service, stack, "grace")
        await unread(grace)
        await asyncio.sleep(0.3)
        assert is_held(the_record(service))
        with psycopg.connect(service.dsn) as connection:
            connection.execute("UPDATE crouter.batch SET created_at = created_at - interval '26 days'")
        await until(lambda: not is_held(the_record(service)))
        assert_billed_once(service, grace)


async def test_it_is_silent_where_the_policy_declares_no_records_of_batches(
    service: Service, two: tuple[Customer, Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(BatchRecords, "__init__", refused)
    parts = service.running.parts
    without = tuple(record for record in parts.deployment.records if record.name != BATCH)
    deployment = dataclasses.replace(parts.deployment, records=without)
    async with asyncio.timeout(1):
        await bill_unread_batches(dataclasses.replace(parts, deployment=deployment), passage(service.running))


async def test_its_owner_may_read_meanwhile(service: Service, two: tuple[Customer, Customer]) -> None:
    ada, _ = two
    name = await unread(ada, *(asked(f"r{number}") for number in range(40)))
    found = await asyncio.gather(results(ada.sdk, name), later(service.running).look())
    assert found[0] == {f"r{number}": "succeeded" for number in range(40)}
    assert_billed_once(service, ada)
