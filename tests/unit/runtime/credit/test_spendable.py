"""Leases and batches take from one balance, one after the other: what one of them has, the other cannot have."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from crouter.runtime.batches import BatchRecords, TooLittle
from crouter.runtime.credit import spendable
from crouter.runtime.database.pool import Database
from crouter.runtime.settling import UNLEASED
from tests.behaviour.service import until
from tests.unit.runtime.credit.books import Books, kept
from tests.unit.runtime.credit.fixtures import NEED

pytest_plugins = ("tests.unit.runtime.retention.fixtures", "tests.unit.runtime.credit.fixtures")


@pytest.fixture
def records(ten: Books) -> BatchRecords:
    return BatchRecords(ten.deployment, ten.database)


async def reserved(books: Books, records: BatchRecords, nanousd: int) -> uuid.UUID | TooLittle:
    return await records.reserve(books.account, books.api_key, nanousd, datetime.now(UTC))


async def what_a_batch_holds_nobody_leases(books: Books, records: BatchRecords) -> None:
    process = books.process()
    record = await reserved(books, records, 6 * NEED)
    assert isinstance(record, uuid.UUID)
    assert await process.credit.reserve(books.account, 5 * NEED) is None
    hold = await process.credit.reserve(books.account, 4 * NEED)
    assert hold is not None
    await records.settle(record)
    assert await process.credit.reserve(books.account, 5 * NEED) is not None


async def test_what_a_batch_holds_nobody_leases(ten: Books, records: BatchRecords) -> None:
    await what_a_batch_holds_nobody_leases(ten, records)


async def test_a_balance_from_which_batches_are_not_taken_off_is_spent_twice(
    ten: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(database: Database, account: sql.Composable) -> sql.Composed:
        return sql.Composed([sql.SQL("0")])

    monkeypatch.setattr(spendable, "held_by", nothing)
    with pytest.raises(AssertionError):
        await what_a_batch_holds_nobody_leases(ten, BatchRecords(ten.deployment, ten.database))


async def test_what_another_process_has_leased_no_batch_holds(ten: Books, records: BatchRecords) -> None:
    process = ten.process()
    hold = await process.credit.reserve(ten.account, 6 * NEED)
    assert hold is not None
    refusal = await reserved(ten, records, 5 * NEED)
    assert refusal == TooLittle(ten.leased())
    process.charge(hold, 2 * NEED)
    assert isinstance(await reserved(ten, records, 5 * NEED), TooLittle), "what is charged is not in the ledger yet"
    await process.ship()
    assert isinstance(await reserved(ten, records, 5 * NEED), TooLittle), "what is left of the hold is still leased"
    await process.credit.give_back(ten.account)
    assert isinstance(await reserved(ten, records, 8 * NEED), uuid.UUID)
    assert (ten.leased(), ten.held(), ten.balance()) == (0, 8 * NEED, 8 * NEED)


async def test_a_lease_that_has_ended_is_in_nobodys_way(ten: Books, records: BatchRecords) -> None:
    process = ten.process()
    assert await process.credit.reserve(ten.account, 6 * NEED) is not None
    ten.expire(process)
    assert isinstance(await reserved(ten, records, 10 * NEED), uuid.UUID)


async def test_free_credit_of_all_processes_is_called_in_for_a_batch(ten: Books, records: BatchRecords) -> None:
    one, other = ten.process(), ten.process()
    async with kept(one, other):
        for process in (one, other):
            hold = await process.credit.reserve(ten.account, NEED)
            assert hold is not None
            process.credit.release(hold)
        assert isinstance(await reserved(ten, records, 10 * NEED), TooLittle)

        async def is_reserved() -> bool:
            # As whoever makes a batch does: asked again each time, because nobody may have listened the time before.
            await one.credit.call_in(ten.account)
            return isinstance(await reserved(ten, records, 10 * NEED), uuid.UUID)

        await until(is_reserved, 10)


async def test_batches_and_processes_at_once_never_get_more_than_there_is(ten: Books, records: BatchRecords) -> None:
    processes = [ten.process() for _ in range(3)]
    outcomes = await asyncio.gather(
        *(reserved(ten, records, NEED) for _ in range(20)),
        *(process.credit.reserve(ten.account, NEED) for process in processes for _ in range(10)),
    )
    admitted = [one for one in outcomes if one is not None and not isinstance(one, TooLittle)]
    assert 0 < len(admitted) <= 10
    assert ten.held() + ten.leased() <= ten.balance()


@pytest.mark.parametrize("take", ["batch", "lease"])
async def test_both_wait_for_the_lock_of_the_account(ten: Books, records: BatchRecords, take: str) -> None:
    process = ten.process()
    takes: dict[str, Callable[[], asyncio.Task[object]]] = {
        "batch": lambda: asyncio.create_task(reserved(ten, records, NEED)),
        "lease": lambda: asyncio.create_task(process.credit.reserve(ten.account, NEED)),
    }
    lock = spendable.spendable_of(ten.deployment, ten.database, sql.Literal(ten.account)).lock
    async with await psycopg.AsyncConnection.connect(ten.dsn) as other:
        await other.execute(lock, (str(ten.account),))
        task = takes[take]()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        await until(lambda: ten.value(waiting) > 0, 3)
        assert not task.done()
        await other.rollback()
    assert isinstance(await task, uuid.UUID) if take == "batch" else await task is not None


async def test_charges_of_a_batch_are_taken_off_no_lease(ten: Books) -> None:
    process = ten.process()
    hold = await process.credit.reserve(ten.account, NEED)
    assert hold is not None
    had = ten.remaining(process)
    process.charge(hold, NEED)
    await process.store.ship(UNLEASED, process.unshipped)
    assert ten.balance() == 9 * NEED
    assert ten.remaining(process) == had
