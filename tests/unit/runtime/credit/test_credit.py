"""Credit is held exactly, in one process and in several, and nothing stays held when nothing runs."""

import asyncio
import gc

import pytest

from crouter.runtime.credit import credit as credit_module
from crouter.runtime.credit.keeping import IDLE_SECONDS, RENEW_SECONDS
from crouter.runtime.credit.lease import Hold
from crouter.runtime.database.errors import DatabaseAwayError
from tests.unit.runtime.credit.books import Books, Process, kept
from tests.unit.runtime.credit.fixtures import NEED

pytest_plugins = ("tests.unit.runtime.retention.fixtures", "tests.unit.runtime.credit.fixtures")


async def all_at_once(books: Books, processes: list[Process], count: int) -> list[Hold]:
    """So many requests, dealt out to the processes; the holds of those that were admitted."""
    asked = [processes[n % len(processes)].credit.reserve(books.account, NEED) for n in range(count)]
    return [hold for hold in await asyncio.gather(*asked) if hold is not None]


@pytest.mark.parametrize("count", [1, 3])
async def test_credit_for_ten_admits_ten_of_five_hundred_at_once(ten: Books, count: int) -> None:
    processes = [ten.process() for _ in range(count)]
    async with kept(*processes):
        holds = await all_at_once(ten, processes, 500)
        assert len(holds) == 10
        assert await processes[0].credit.reserve(ten.account, 1) is None
        for hold in holds:
            processes[0].credit.release(hold)
        assert len(await all_at_once(ten, processes, 30)) == 10
    assert ten.leased() == ten.balance() == 10 * NEED


async def test_what_another_process_does_not_use_is_asked_back_before_anybody_is_refused(ten: Books) -> None:
    idle, asking = ten.process(), ten.process()
    async with kept(idle, asking):
        for _ in range(9):
            idle.credit.release(await reserved(idle, ten, NEED))
        whole = await asking.credit.reserve(ten.account, 10 * NEED)
        assert whole is not None
        assert idle.credit.leases[ten.account.int].free == 0
        assert await idle.credit.reserve(ten.account, 1) is None


async def test_a_refusal_does_not_wait_when_nobody_else_has_any(ten: Books) -> None:
    process = ten.process()
    assert await process.credit.reserve(ten.account, 10 * NEED + 1) is None
    assert await process.credit.reserve(ten.account, 10 * NEED) is not None


async def test_the_second_reservation_asks_nobody(ten: Books) -> None:
    process = ten.process()
    first = await reserved(process, ten, NEED)
    second = process.credit.try_reserve(ten.account, NEED)
    assert second is not None
    assert ten.remaining(process) == first.lease.granted


async def test_a_hold_is_closed_once_and_comes_back_even_when_it_is_dropped(ten: Books) -> None:
    process = ten.process()
    hold = await reserved(process, ten, NEED)
    lease, holds = hold.lease, process.credit.holds
    assert (lease.held, holds.open) == (NEED, 1)
    process.credit.release(hold)
    with pytest.raises(AssertionError):
        process.credit.release(hold)
    dropped = await reserved(process, ten, NEED)
    del dropped
    gc.collect()
    assert (lease.held, holds.open, holds.leaked) == (0, 0, 1)


async def test_a_request_that_gives_up_while_it_waits_holds_nothing(ten: Books) -> None:
    process = ten.process()
    waiting = [asyncio.create_task(process.credit.reserve(ten.account, NEED)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert process.credit.holds.open == 0
    assert len(await all_at_once(ten, [process], 30)) == 10


async def test_a_charge_is_pending_until_it_is_in_the_ledger_and_shipping_twice_changes_nothing(ten: Books) -> None:
    process = ten.process()
    hold = await reserved(process, ten, NEED)
    lease, before = hold.lease, hold.lease.granted
    process.charge(hold, 400)
    assert (lease.held, lease.pending, lease.granted) == (0, 400, before)
    entries = list(process.unshipped)
    await process.ship()
    assert (lease.pending, lease.granted) == (0, before - 400)
    assert ten.remaining(process) == before - 400
    await process.store.ship(process.id, entries)
    assert ten.remaining(process) == before - 400
    assert ten.balance() == 10 * NEED - 400


async def test_an_upstream_that_reports_more_than_was_held_is_charged_as_reported_and_no_more_is_lent(
    ten: Books,
) -> None:
    process = ten.process()
    process.charge(await reserved(process, ten, 10 * NEED), 12 * NEED)
    assert await process.credit.reserve(ten.account, 1) is None
    await process.ship()
    assert ten.balance() == -2 * NEED
    assert ten.leased() == 0
    assert await process.credit.reserve(ten.account, 1) is None
    assert process.credit.leases[ten.account.int].is_idle


async def test_idle_leases_go_back_and_the_next_request_leases_anew(ten: Books) -> None:
    process = ten.process()
    process.credit.release(await reserved(process, ten, NEED))
    assert ten.leased() > 0
    await process.keeper.return_idle()
    assert ten.leased() > 0
    process.clock.now += IDLE_SECONDS
    await process.keeper.return_idle()
    assert (ten.leased(), process.credit.leases) == (0, {})
    assert await process.credit.reserve(ten.account, NEED) is not None


async def test_a_lease_in_use_is_renewed_and_one_that_ended_is_not_revived_without_looking(ten: Books) -> None:
    process, other = ten.process(), ten.process()
    await reserved(process, ten, NEED)
    lease = process.credit.leases[ten.account.int]
    ended = lease.usable_until
    process.clock.now += RENEW_SECONDS
    await process.keeper.sweep()
    assert lease.usable_until == ended + RENEW_SECONDS
    ten.expire(process)
    # What the first one let end, the second one may have; what is under way at the first is its loss.
    taken = await reserved(other, ten, 10 * NEED)
    await process.keeper.renew()
    assert process.credit.try_reserve(ten.account, 1) is None
    assert await process.credit.reserve(ten.account, 1) is None
    other.credit.release(taken)


async def test_what_is_in_hand_is_spent_while_the_database_is_away_until_the_lease_ends(ten: Books) -> None:
    process = ten.process()
    process.credit.release(await reserved(process, ten, NEED))
    await ten.database.close()
    for _ in range(100):
        hold = process.credit.try_reserve(ten.account, NEED)
        assert hold is not None
        process.credit.release(hold)
    process.clock.now += IDLE_SECONDS
    with pytest.raises(DatabaseAwayError):
        await process.keeper.return_idle()
    assert process.credit.try_reserve(ten.account, NEED) is not None
    process.clock.now += credit_module.USABLE_SECONDS
    assert process.credit.try_reserve(ten.account, NEED) is None
    with pytest.raises(DatabaseAwayError):
        await process.credit.reserve(ten.account, NEED)


async def test_an_answer_of_the_database_that_never_came_freezes_credit_only_until_the_next_charge(
    ten: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = ten.process()
    hold = await reserved(process, ten, NEED)
    store, lease = process.credit.store, hold.lease
    real = store.extend

    async def done_and_not_told(*arguments: object) -> object:
        await real(*arguments)  # type: ignore[arg-type]  # passed on as they came
        raise DatabaseAwayError

    monkeypatch.setattr(store, "extend", done_and_not_told)
    with pytest.raises(DatabaseAwayError):
        await process.credit.reserve(ten.account, 5 * NEED)
    monkeypatch.undo()
    assert lease.granted < ten.remaining(process)
    process.charge(hold, NEED)
    await process.ship()
    assert lease.granted == ten.remaining(process)


async def reserved(process: Process, books: Books, nanousd: int) -> Hold:
    hold = await process.credit.reserve(books.account, nanousd)
    assert hold is not None
    return hold
