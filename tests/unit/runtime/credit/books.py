"""One account on a real database, and processes that spend its credit: `Credit` objects that share nothing else."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import Accounts
from crouter.runtime.credit.credit import Credit
from crouter.runtime.credit.keeping import Keeper
from crouter.runtime.credit.lease import Hold
from crouter.runtime.credit.store import LeaseStore
from crouter.runtime.database.pool import Database
from crouter.runtime.journal.entry import FORM, Entry
from crouter.runtime.journal.noted import Noted, noted
from crouter.runtime.keys import KeyStore
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.settings import StoreSettings
from crouter.runtime.usage import UsageStore


class Clock:
    """A process's own clock, moved by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Process:
    """One process: its leases, and charges that are in its journal and not in the ledger."""

    credit: Credit
    keeper: Keeper
    store: UsageStore
    clock: Clock
    api_key: uuid.UUID
    id: uuid.UUID
    holds: list[Hold] = field(default_factory=list)
    unshipped: list[Noted] = field(default_factory=list)

    def charge(self, hold: Hold, cost: int) -> None:
        """Settles a hold: the charge is in the journal."""
        account = hold.lease.account
        entry = Entry(
            id=uuid.uuid4(),
            account=account,
            api_key=self.api_key,
            occurred_at=datetime.now(UTC),
            model="claude-haiku-4-5",
            input_tokens=1,
            output_tokens=1,
            outcome="complete",
            cost_nanousd=cost,
            price_version="2026-11-23",
            policy_digest="0" * 64,
            form=FORM,
        )
        self.credit.charge(hold, cost)
        self.unshipped.append(noted(entry))

    async def ship(self) -> None:
        """Brings everything unshipped into the ledger."""
        entries, self.unshipped = self.unshipped, []
        if entries:
            doubts = self.credit.doubts()
            shipped = await self.store.ship(self.id, entries)
            for entry in entries:
                account = entry.account
                self.credit.shipped(account, entry.cost_nanousd, shipped.remaining.get(account), doubts.get(account))


@dataclass
class Books:
    """The database's view: what there is, and what is set aside."""

    database: Database
    deployment: Deployment
    account: uuid.UUID
    api_key: uuid.UUID
    dsn: str
    log: Log

    def process(self) -> Process:
        """A further process that has leased nothing yet."""
        id_, clock = uuid.uuid4(), Clock()
        credit = Credit(LeaseStore(self.deployment, self.database, id_), Metrics(self.deployment.metrics), clock)
        keeper = Keeper(credit, self.database, self.log, clock)
        return Process(credit, keeper, UsageStore(self.deployment, self.database), clock, self.api_key, id_)

    def value(self, query: str, *parameters: object) -> int:
        """One number, as the database's superuser sees it."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            row = connection.execute(query, parameters).fetchone()
            assert row is not None
            return int(row[0] or 0)

    def balance(self) -> int:
        """The sum of the ledger."""
        return self.value("SELECT sum(amount_nanousd) FROM crouter.ledger")

    def leased(self) -> int:
        """What living leases have left."""
        return self.value(
            "SELECT sum(greatest(remaining_nanousd, 0)) FROM crouter.credit_lease WHERE expires_at > clock_timestamp()"
        )

    def held(self) -> int:
        """What batches hold."""
        return self.value("SELECT sum(held_nanousd) FROM crouter.batch WHERE settled_at IS NULL AND ended_at IS NULL")

    def remaining(self, process: Process) -> int:
        """What the database has set aside for a process."""
        return self.value("SELECT sum(remaining_nanousd) FROM crouter.credit_lease WHERE process_id = %s", process.id)

    def expire(self, process: Process) -> None:
        """Lets the leases of a process end in the database, and time pass for the process."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                "UPDATE crouter.credit_lease SET expires_at = clock_timestamp() - interval '1 s' WHERE process_id = %s",
                (process.id,),
            )
        process.clock.now += 10_000


@asynccontextmanager
async def books(deployment: Deployment, settings: StoreSettings, nanousd: int, log: Log) -> AsyncIterator[Books]:
    """An account with so much credit."""
    database = Database(settings, deployment.database_schema)
    await database.open()
    try:
        accounts = Accounts(deployment, database)
        account = await accounts.create("ada@example.org", "Ada")
        await accounts.credit(account, nanousd)
        key = await KeyStore(deployment, database, settings).create(account)
        dsn = settings.database_url.reveal()
        yield Books(database, deployment, account, key.id, dsn, log)
    finally:
        await database.close()


@asynccontextmanager
async def kept(*processes: Process) -> AsyncIterator[None]:
    """The keepers of processes at work, until the block ends."""
    tasks = [asyncio.create_task(process.keeper.run()) for process in processes]
    try:
        # Until each of them listens, as a service that has started does.
        await asyncio.sleep(0.3)
        yield
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
