import asyncio
import random
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from crouter.runtime.accounts import Accounts
from crouter.runtime.database.errors import DatabaseRefusedError
from crouter.runtime.ledger import Ledger, PostingConflictError, entry_id
from crouter.runtime.ledger.ledger import EntryKind
from crouter.runtime.retention.options import RetentionOptions
from crouter.runtime.retention.run import run_retention
from tests.unit.runtime.credit.books import Books
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures", "tests.unit.runtime.credit.fixtures")

DAY = timedelta(days=1)


def ledger(books: Books) -> Ledger:
    return Ledger(books.deployment, books.database)


async def difference(books: Books) -> int:
    return (await ledger(books).trial_balance()).difference_nanousd


async def test_an_entry_moves_money_between_a_customer_and_the_operator(ten: Books) -> None:
    entry = uuid.uuid4()
    async with ten.database.transaction() as connection:
        assert await ledger(ten).post(connection, ten.account, "top_up", 5_000_000_000, id=entry)
    trial = await ledger(ten).trial_balance()
    assert trial.accounts == {
        "customers": 5_010_000_000,
        "promotions": -10_000_000,
        "stripe_clearing": -5_000_000_000,
    }
    assert trial.difference_nanousd == 0


async def test_an_entry_is_posted_once_for_its_id_and_never_as_another_one(ten: Books) -> None:
    entry = entry_id("top_up", "one")
    assert entry == entry_id("top_up", "one")
    assert entry != entry_id("top_up", "two")
    for expected in (True, False):
        async with ten.database.transaction() as connection:
            assert await ledger(ten).post(connection, ten.account, "top_up", 7, id=entry) is expected
    with pytest.raises(PostingConflictError):
        async with ten.database.transaction() as connection:
            await ledger(ten).post(connection, ten.account, "top_up", 8, id=entry)
    assert await ledger(ten).balance(ten.account) == 10_000_007
    assert await difference(ten) == 0


async def test_what_is_rolled_back_leaves_neither_side(ten: Books) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with ten.database.transaction() as connection:
            await ledger(ten).post(connection, ten.account, "refund", -9, id=uuid.uuid4())
            raise ZeroDivisionError
    assert (await ledger(ten).trial_balance()).accounts == {"customers": 10_000_000, "promotions": -10_000_000}


async def test_the_operators_accounts_are_moved_between_without_customers(ten: Books) -> None:
    fee = entry_id("fee", "one")
    for expected in (True, False):
        async with ten.database.transaction() as connection:
            moved = await ledger(ten).move(
                connection, "fee", 59, debit="processor_fees", credit="stripe_clearing", id=fee
            )
            assert moved is expected
    trial = await ledger(ten).trial_balance()
    assert (trial.accounts["processor_fees"], trial.accounts["stripe_clearing"]) == (-59, 59)
    assert trial.difference_nanousd == 0


ONE_SIDED: tuple[LiteralString, ...] = (
    "INSERT INTO book VALUES (gen_random_uuid(), 'grant', 'promotions', 'customers', 1, now())",
    "INSERT INTO book VALUES (gen_random_uuid(), 'charge', 'customers', 'revenue', 1, now())",
    "UPDATE ledger SET amount_nanousd = amount_nanousd + 1",
    "UPDATE book SET amount_nanousd = amount_nanousd + 1",
    "DELETE FROM book",
    "TRUNCATE ledger",
    "TRUNCATE book",
)


@pytest.mark.parametrize("statement", ONE_SIDED)
async def test_a_one_sided_change_is_refused_by_the_database_itself(
    ten: Books, database: TestDatabase, statement: LiteralString
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute(statement)
    assert await difference(ten) == 0


async def test_an_entry_of_a_kind_without_another_side_is_refused(ten: Books, database: TestDatabase) -> None:
    database.execute("ALTER TABLE ledger DROP CONSTRAINT ledger_kind_values")
    with pytest.raises(psycopg.errors.CheckViolation):
        database.entry(ten.account, "gift", 5, datetime.now(UTC))


async def test_the_service_may_not_change_or_remove_entries(ten: Books) -> None:
    for statement in ("UPDATE {} SET amount_nanousd = 0", "DELETE FROM {}"):
        for table in ("ledger", "book"):
            with pytest.raises(DatabaseRefusedError):
                async with ten.database.transaction() as connection:
                    await connection.execute(sql.SQL(statement).format(ten.database.table(table)))


async def test_the_trial_balance_shows_what_was_written_behind_the_databases_back(
    ten: Books, database: TestDatabase
) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role TO replica")
        connection.execute(
            "INSERT INTO crouter.ledger (id, account_id, kind, amount_nanousd, occurred_at)"
            " VALUES (gen_random_uuid(), %s, 'grant', 5, now())",
            (ten.account,),
        )
    assert await difference(ten) == 5


async def test_shipped_charges_get_one_other_side_for_all_of_them(ten: Books, database: TestDatabase) -> None:
    process = ten.process()
    for _ in range(5):
        hold = await process.credit.reserve(ten.account, 1_000_000)
        assert hold is not None
        process.charge(hold, 300_000)
    entries = list(process.unshipped)
    await process.ship()
    await process.store.ship(process.id, entries)
    assert database.value("SELECT count(*) FROM book WHERE kind = 'charge'") == 1
    trial = await ledger(ten).trial_balance()
    assert (trial.accounts["revenue"], trial.accounts["customers"]) == (1_500_000, 8_500_000)
    assert trial.difference_nanousd == 0


async def test_summing_up_old_charges_moves_nothing(ten: Books, database: TestDatabase, declared: Declared) -> None:
    old = datetime.now(UTC) - 800 * DAY
    database.entry(ten.account, "charge", -7, old, times=30)
    before = (await ledger(ten).trial_balance()).accounts
    run_retention(database.dsn, declared.deployment, RetentionOptions(rule="usage"))
    assert database.value("SELECT count(*) FROM ledger WHERE kind = 'charge'") == 0
    after = (await ledger(ten).trial_balance()).accounts
    assert {name: amount for name, amount in after.items() if amount} == before


async def test_erasing_an_account_leaves_its_rest_with_the_operator(
    ten: Books, database: TestDatabase, declared: Declared
) -> None:
    database.entry(ten.account, "top_up", 400, datetime.now(UTC))
    await Accounts(declared.deployment, ten.database).request_deletion(ten.account)
    options = RetentionOptions(rule="deletion", as_of=datetime.now(UTC) + 8 * DAY, allow_future=True)
    run_retention(database.dsn, declared.deployment, options)
    trial = await ledger(ten).trial_balance()
    # The law has the top-up kept; the grant is gone, and what it was stands in `retired`.
    assert trial.accounts["customers"] == 400
    assert trial.accounts["retired"] == 10_000_000
    assert trial.difference_nanousd == 0


async def test_charges_of_the_book_are_gathered_by_the_day_and_nothing_moves(
    ten: Books, database: TestDatabase
) -> None:
    for _ in range(40):
        database.entry(ten.account, "charge", -3, datetime.now(UTC))
    before = await ledger(ten).trial_balance()
    soon = datetime.now(UTC) + DAY
    assert database.value("SELECT book_gather(%s)", soon) == 40
    assert database.value("SELECT count(*) FROM book WHERE kind = 'charge'") == 1
    assert database.value("SELECT book_gather(%s)", soon) == 0
    assert await ledger(ten).trial_balance() == before
    for role in ("anon", "authenticated", "crouter_retention"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(sql.SQL("SET ROLE {}; SELECT crouter.book_gather(now())").format(sql.Identifier(role)))


async def test_books_are_opened_with_what_a_ledger_had_before(ten: Books, database: TestDatabase) -> None:
    database.execute(
        "ALTER TABLE book DISABLE TRIGGER ALL; DELETE FROM book; ALTER TABLE book ENABLE TRIGGER ALL;"
        "SELECT book_opened()"
    )
    assert (await ledger(ten).trial_balance()).accounts == {"customers": 10_000_000, "promotions": -10_000_000}


async def test_a_statement_has_every_entry_and_one_line_for_a_days_charges(ten: Books, database: TestDatabase) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    database.entry(ten.account, "top_up", 100, start - DAY)
    database.entry(ten.account, "top_up", 1000, start)
    database.entry(ten.account, "charge", -2, start + DAY, times=3)
    database.entry(ten.account, "charge", -5, start + 2 * DAY)
    database.entry(ten.account, "refund", -50, start + 2 * DAY)
    statement = await ledger(ten).statement(ten.account, start, start + 30 * DAY)
    told = [(line.kind, line.amount_nanousd, line.entries, line.balance_nanousd) for line in statement.lines]
    assert statement.opening_nanousd == 100
    assert told[:2] == [("top_up", 1000, 1, 1100), ("charge", -6, 3, 1094)]
    assert sorted(line[:3] for line in told[2:]) == [("charge", -5, 1), ("refund", -50, 1)]
    assert statement.closing_nanousd == 1039
    other = await ledger(ten).statement(uuid.uuid4(), start, start + 30 * DAY)
    assert (other.opening_nanousd, other.lines) == (0, ())


async def test_the_books_balance_whatever_is_killed_while_entries_are_written(
    ten: Books, database: TestDatabase
) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    chance = random.Random(seed)  # noqa: S311

    async def write() -> None:
        for _ in range(20):
            try:
                async with ten.database.transaction() as connection:
                    kind: EntryKind = chance.choice(("top_up", "charge", "dispute"))
                    await ledger(ten).post(connection, ten.account, kind, chance.randint(-9, 9), id=uuid.uuid4())
                    await asyncio.sleep(0.001)
            except Exception:  # noqa: BLE001 S110 - a killed connection fails in any way it likes
                pass

    async def kill() -> None:
        for _ in range(15):
            await asyncio.sleep(0.01)
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'crouter' AND datname = current_database() AND random() < 0.5"
            )

    await asyncio.gather(*(write() for _ in range(6)), kill())
    await asyncio.sleep(0.05)
    assert database.value("SELECT count(*) FROM ledger") > 1
    trial = await ledger(ten).trial_balance()
    assert trial.difference_nanousd == 0
    assert trial.accounts["customers"] == database.balance(ten.account)
