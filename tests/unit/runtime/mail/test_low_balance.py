"""An account is told once when its balance falls, and again only after a new credit."""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from crouter.runtime.environment import SettingsError
from crouter.runtime.mail.low_balance import TELL_LOW_BALANCE, read_threshold
from tests.unit.runtime.jobs.jobs import Worker, worker
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

USD = 10**9
START = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Day:
    """The entries of one account, and the job as it runs at a moment of the day."""

    database: TestDatabase
    node: Worker
    account: uuid.UUID

    def entry(self, kind: str, dollars: float, *, minute: float) -> None:
        self.database.entry(self.account, kind, round(dollars * USD), START + timedelta(minutes=minute))

    async def look(self, *, minute: float) -> int:
        """Run the job at that minute; gives how many mails there are."""
        now = START + timedelta(minutes=minute)
        await TELL_LOW_BALANCE.run(replace(self.node.context, now=lambda: now))
        return self.database.count("outbox")


async def test_a_fall_is_told_once_however_often_it_is_looked_at(database: TestDatabase, declared: Declared) -> None:
    async with worker(declared, database.dsn, []) as node:
        day = Day(database, node, database.account())
        day.entry("top_up", 10, minute=-600)
        day.entry("charge", -4, minute=1)
        assert await day.look(minute=10) == 0, "six dollars are left"
        day.entry("charge", -2, minute=11)
        for minute in (20, 30, 40, 60, 80, 600):
            assert await day.look(minute=minute) == 1
        day.entry("charge", -1, minute=610)
        assert await day.look(minute=620) == 1, "it was low already"
        values = database.value('SELECT "values" FROM outbox')
    assert values == {"balance": str(4 * USD), "threshold": str(5 * USD)}


async def test_a_new_credit_arms_it_again_also_within_the_hour(database: TestDatabase, declared: Declared) -> None:
    async with worker(declared, database.dsn, []) as node:
        day = Day(database, node, database.account())
        day.entry("top_up", 10, minute=-600)
        day.entry("charge", -6, minute=1)
        assert await day.look(minute=5) == 1
        day.entry("top_up", 10, minute=6)
        assert await day.look(minute=10) == 1
        day.entry("charge", -10, minute=12)
        assert await day.look(minute=15) == 2
        assert await day.look(minute=20) == 2


async def test_a_credit_that_stays_below_is_no_news(database: TestDatabase, declared: Declared) -> None:
    async with worker(declared, database.dsn, []) as node:
        day = Day(database, node, database.account())
        day.entry("grant", 3, minute=-600)
        day.entry("charge", -1, minute=1)
        assert await day.look(minute=5) == 0
        day.entry("grant", 1, minute=6)
        day.entry("charge", -1, minute=7)
        assert await day.look(minute=10) == 0


async def test_who_does_not_spend_or_leaves_is_not_told(database: TestDatabase, declared: Declared) -> None:
    async with worker(declared, database.dsn, []) as node:
        idle = Day(database, node, database.account())
        idle.entry("top_up", 1, minute=-600)
        leaving = Day(database, node, database.account(deletion_requested_at=START))
        leaving.entry("top_up", 10, minute=-600)
        leaving.entry("charge", -9, minute=1)
        assert await leaving.look(minute=5) == 0


async def test_the_threshold_is_the_operators(database: TestDatabase, declared: Declared) -> None:
    async with worker(declared, database.dsn, [], CROUTER_LOW_BALANCE_DOLLARS="8") as node:
        day = Day(database, node, database.account())
        day.entry("top_up", 10, minute=-600)
        day.entry("charge", -2, minute=1)
        assert await day.look(minute=2) == 0, "eight is not below eight"
        day.entry("charge", -0.000000001, minute=3)
        assert await day.look(minute=5) == 1


@pytest.mark.parametrize("text", ["0", "-1", "five", "1.5"])
def test_a_threshold_that_is_none_is_refused_by_name(text: str, declared: Declared) -> None:
    with pytest.raises(SettingsError, match="CROUTER_LOW_BALANCE_DOLLARS"):
        read_threshold(declared.deployment, {"CROUTER_LOW_BALANCE_DOLLARS": text})
