import uuid

import pytest

from crouter.runtime.balances import AWAY_SECONDS, FRESH_SECONDS, Balances
from crouter.runtime.database.errors import DatabaseAwayError

ACCOUNT = uuid.UUID(int=1)


class Ledger:
    def __init__(self, nanousd: int) -> None:
        self.nanousd = nanousd
        self.reads = 0
        self.away = False
        self.seconds = 1000.0

    async def read(self, account: uuid.UUID) -> int:
        self.reads += 1
        if self.away:
            raise DatabaseAwayError
        return self.nanousd

    def clock(self) -> float:
        return self.seconds


async def test_a_balance_is_read_once_for_a_while_and_charges_come_off_at_once() -> None:
    ledger = Ledger(100)
    balances = Balances(ledger.read, ledger.clock)
    assert await balances.has_credit(ACCOUNT)
    balances.charge(ACCOUNT, 99)
    assert await balances.has_credit(ACCOUNT)
    assert ledger.reads == 1
    balances.charge(ACCOUNT, 1)
    ledger.nanousd = 0
    assert not await balances.has_credit(ACCOUNT)


async def test_a_top_up_ends_a_refusal_at_once() -> None:
    ledger = Ledger(0)
    balances = Balances(ledger.read, ledger.clock)
    assert not await balances.has_credit(ACCOUNT)
    ledger.nanousd = 1
    assert await balances.has_credit(ACCOUNT)


async def test_while_the_database_is_away_a_known_balance_is_spent_for_a_bound() -> None:
    ledger = Ledger(100)
    balances = Balances(ledger.read, ledger.clock)
    await balances.has_credit(ACCOUNT)
    ledger.away = True
    ledger.seconds += FRESH_SECONDS
    assert await balances.has_credit(ACCOUNT)
    balances.charge(ACCOUNT, 100)
    assert not await balances.has_credit(ACCOUNT)
    ledger.seconds += AWAY_SECONDS
    with pytest.raises(DatabaseAwayError):
        await balances.has_credit(ACCOUNT)
    with pytest.raises(DatabaseAwayError):
        await balances.has_credit(uuid.UUID(int=2))
