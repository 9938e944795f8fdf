"""Whatever processes do with one account's credit, in whatever order: more is never leased than there is."""

import asyncio
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from crouter.runtime.batches import BatchRecords
from crouter.runtime.credit import credit
from crouter.runtime.credit.keeping import IDLE_SECONDS
from crouter.runtime.database.errors import DatabaseAwayError
from tests.unit.runtime.credit.books import Books, Process
from tests.unit.runtime.credit.fixtures import NEED

pytest_plugins = ("tests.unit.runtime.retention.fixtures", "tests.unit.runtime.credit.fixtures")

STEPS = 100
SEED = int(os.environ.get("CROUTER_SEED", "0")) or time.time_ns() % 10**9


class World:
    """Three processes and an account; what was charged, and what an ended lease may have let through."""

    def __init__(self, books: Books, rng: random.Random) -> None:
        self.books = books
        self.rng = rng
        self.processes = [books.process() for _ in range(3)]
        self.batches = BatchRecords(books.deployment, books.database)
        self.reserved: list[uuid.UUID] = []
        self.charged = 0
        self.cut_off = False

    async def reserve(self, process: Process) -> None:
        amounts = [self.rng.randrange(1, 4 * NEED) for _ in range(self.rng.randrange(1, 4))]
        asked = (process.credit.reserve(self.books.account, amount) for amount in amounts)
        process.holds += [hold for hold in await asyncio.gather(*asked) if hold is not None]

    async def make_batch(self, process: Process) -> None:
        books = self.books
        amount = self.rng.randrange(1, 4 * NEED)
        record = await self.batches.reserve(books.account, books.api_key, amount, datetime.now(UTC))
        if isinstance(record, uuid.UUID):
            self.reserved.append(record)

    async def settle_batch(self, process: Process) -> None:
        if self.reserved:
            await self.batches.settle(self.reserved.pop())

    async def release(self, process: Process) -> None:
        if process.holds:
            process.credit.release(process.holds.pop(self.rng.randrange(len(process.holds))))

    async def charge(self, process: Process) -> None:
        if process.holds:
            hold = process.holds.pop()
            cost = self.rng.randrange(hold.nanousd + 1) // 4
            self.charged += cost
            process.charge(hold, cost)

    async def ship(self, process: Process) -> None:
        await process.ship()

    async def give_back(self, process: Process) -> None:
        await process.credit.give_back(self.books.account)

    async def idle(self, process: Process) -> None:
        process.clock.now += IDLE_SECONDS
        await process.keeper.return_idle()

    async def renew(self, process: Process) -> None:
        await process.keeper.renew()

    async def advance(self, process: Process) -> None:
        await process.credit.lease_in_advance(self.books.account)

    async def lose_an_answer(self, process: Process) -> None:
        """A statement is carried out, and the word that it was is lost."""
        store, real = process.credit.store, process.credit.store.give_back

        async def done_and_not_told(*arguments: object) -> None:
            await real(*arguments)  # type: ignore[arg-type]  # passed on as they came
            raise DatabaseAwayError

        store.give_back = done_and_not_told  # type: ignore[method-assign, assignment]  # put back below
        try:
            await process.credit.give_back(self.books.account)
        except DatabaseAwayError:
            return
        finally:
            store.give_back = real  # type: ignore[method-assign]

    async def die(self, process: Process) -> None:
        """Killed; what it had charged is adopted, and then its lease ends."""
        await process.store.ship(process.id, process.unshipped) if process.unshipped else None
        await process.credit.store.empty_all(process.id)
        for hold in process.holds:
            hold.close()
        self.processes[self.processes.index(process)] = self.books.process()

    async def step(self) -> str:
        """One thing that happens; its name."""
        steps: list[Callable[[Process], Awaitable[None]]] = [
            self.reserve, self.reserve, self.reserve, self.release, self.charge, self.charge, self.ship,
            self.make_batch, self.settle_batch, self.give_back, self.idle, self.renew, self.advance,
            self.lose_an_answer, self.die,
        ]  # fmt: skip
        chosen = self.rng.choice(steps)
        await chosen(self.rng.choice(self.processes))
        return chosen.__name__

    def check(self, after: str) -> None:
        books = self.books
        unshipped = sum(entry.cost_nanousd for process in self.processes for entry in process.unshipped)
        assert books.balance() == 10 * NEED - (self.charged - unshipped), after
        assert books.balance() - books.leased() - books.held() >= 0, after
        for process in self.processes:
            granted = sum(lease.granted for lease in process.credit.leases.values())
            assert granted <= books.remaining(process), after
            for lease in process.credit.leases.values():
                assert lease.held == sum(hold.nanousd for hold in process.holds), after
                assert lease.free >= 0, after


@pytest.mark.parametrize("run", range(3))
async def test_more_is_never_leased_than_there_is_and_in_the_end_nothing_is_held(
    ten: Books, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens here: waiting for others would be in vain.
    monkeypatch.setattr(credit, "PATIENCE_SECONDS", 0.0)
    print(f"CROUTER_SEED={SEED}")  # noqa: T201  to repeat a failure
    world = World(ten, random.Random(SEED + run))  # noqa: S311 - repeatable, not secret
    for _ in range(STEPS):
        world.check(await world.step())
    for process in world.processes:
        while process.holds:
            await world.release(process)
        await process.ship()
        await world.idle(process)
        assert process.credit.leases == {}
        assert process.credit.holds.open == 0
    assert ten.leased() == 0
    assert ten.balance() == 10 * NEED - world.charged


async def test_a_process_that_is_cut_off_overspends_what_its_lease_had_and_no_more(ten: Books) -> None:
    cut_off, other = ten.process(), ten.process()
    hold = await cut_off.credit.reserve(ten.account, 4 * NEED)
    assert hold is not None
    had = ten.remaining(cut_off)
    ten.expire(cut_off)
    taken = await other.credit.reserve(ten.account, 10 * NEED)
    assert taken is not None
    other.charge(taken, 10 * NEED)
    cut_off.charge(hold, 4 * NEED)
    await other.ship()
    await cut_off.ship()
    assert -had <= ten.balance() < 0
