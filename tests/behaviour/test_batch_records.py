"""The ownership records of batches, in a real database: what is held, by whom, and for how long."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from crouter.runtime.batches import BatchRecords, OwnedBatch, TooLittle
from crouter.runtime.credit.spendable import NAMELESS_SECONDS
from crouter.runtime.database.errors import DatabaseRefusedError
from tests.behaviour.service import CREDIT_NANOUSD, Service

MOST = 1_000_000_000


@pytest.fixture
def records(service: Service) -> BatchRecords:
    parts = service.running.parts
    return BatchRecords(parts.deployment, parts.database)


async def made(service: Service, records: BatchRecords, name: str, at: datetime | None = None) -> uuid.UUID:
    record = await records.reserve(service.account, service.key_id, MOST, at or datetime.now(UTC))
    assert isinstance(record, uuid.UUID)
    await records.name(record, name)
    return record


async def spendable(service: Service, records: BatchRecords) -> int:
    """What one more batch could hold: the most that is not refused."""
    least, most = 0, 2 * CREDIT_NANOUSD
    while least < most:
        middle = (least + most + 1) // 2
        record = await records.reserve(service.account, service.key_id, middle, datetime.now(UTC))
        if isinstance(record, TooLittle):
            most = middle - 1
        else:
            await records.end(record)
            least = middle
    return least


async def test_what_batches_hold_cannot_be_spent_until_they_end(service: Service, records: BatchRecords) -> None:
    first, second = await made(service, records, "a"), await made(service, records, "b")
    assert await spendable(service, records) == CREDIT_NANOUSD - 2 * MOST
    assert await service.accounts.balance(service.account) == CREDIT_NANOUSD, "what is held is not charged"
    await records.settle(first)
    await records.settle(first)
    assert await spendable(service, records) == CREDIT_NANOUSD - MOST
    await records.end(second)
    assert await spendable(service, records) == CREDIT_NANOUSD


async def test_credit_for_five_admits_five_of_twenty_at_once(service: Service, records: BatchRecords) -> None:
    asked = [records.reserve(service.account, service.key_id, MOST, datetime.now(UTC)) for _ in range(20)]
    admitted = [record for record in await asyncio.gather(*asked) if not isinstance(record, TooLittle)]
    assert len(admitted) == len(service.rows("batch")) == CREDIT_NANOUSD // MOST


async def test_a_record_that_never_got_a_name_holds_nothing_after_a_while(
    service: Service, records: BatchRecords
) -> None:
    for age in (NAMELESS_SECONDS - 60, NAMELESS_SECONDS + 1):
        await records.reserve(service.account, service.key_id, MOST, datetime.now(UTC) - timedelta(seconds=age))
    assert await spendable(service, records) == CREDIT_NANOUSD - MOST
    assert (await records.page(service.account, 10)).batches == ()


async def test_no_two_records_are_about_one_batch(service: Service, records: BatchRecords) -> None:
    await made(service, records, "a")
    with pytest.raises(DatabaseRefusedError):
        await made(service, records, "a")


async def test_the_service_may_neither_remove_a_record_nor_make_it_somebody_elses(
    service: Service, records: BatchRecords
) -> None:
    await made(service, records, "a")
    for statement in ("DELETE FROM crouter.batch", "UPDATE crouter.batch SET account_id = account_id"):
        with psycopg.connect(service.dsn) as connection:
            connection.execute("SET ROLE crouter_service")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


async def test_batches_of_one_moment_have_an_order(service: Service, records: BatchRecords) -> None:
    at = datetime.now(UTC)
    for name in "abcde":
        await made(service, records, name, at)
    whole = (await records.page(service.account, 10)).batches
    seen: list[OwnedBatch] = []
    beside: OwnedBatch | None = None
    while (page := await records.page(service.account, 2, beside=beside)).batches:
        seen += page.batches
        beside = page.batches[-1]
    assert tuple(seen) == whole
    back = await records.page(service.account, 2, beside=whole[4], side="newer")
    assert (back.batches, back.has_more) == (whole[2:4], True)
