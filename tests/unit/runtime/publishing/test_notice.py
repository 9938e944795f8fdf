"""Everybody is told, once, in batches that can be cut off anywhere; and in time by the calendar."""

from datetime import UTC, date, datetime

import pytest

from crouter.contract.retention import Period
from crouter.runtime.mail.values import MailRefusedError
from crouter.runtime.publishing import notice as notices
from crouter.runtime.publishing.notice import Notice, earliest_day
from tests.unit.runtime.jobs.jobs import Worker, worker
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)

DAYS_14 = Period("P14D", 0, 14, 0)
MONTH = Period("P1M", 1, 0, 0)


@pytest.mark.parametrize(
    ("now", "period", "day"),
    [
        ("2026-11-23T00:00:00+00:00", DAYS_14, date(2026, 12, 7)),
        ("2026-11-23T00:00:01+00:00", DAYS_14, date(2026, 12, 8)),
        ("2026-11-23T23:59:59+00:00", DAYS_14, date(2026, 12, 8)),
        ("2028-01-31T12:00:00+00:00", MONTH, date(2028, 3, 1)),
        ("2027-01-31T12:00:00+00:00", MONTH, date(2027, 3, 1)),
        ("2026-12-31T12:00:00+00:00", DAYS_14, date(2027, 1, 15)),
        ("2026-11-23T00:30:00+02:00", DAYS_14, date(2026, 12, 7)),
    ],
)
def test_a_version_leaves_the_whole_notice_before_its_day(now: str, period: Period, day: date) -> None:
    assert earliest_day(datetime.fromisoformat(now), period) == day


def made(node: Worker, version: str = "2.0") -> Notice:
    return Notice(node.context.deployment, node.context.database, version)


@pytest.mark.claim("change-notify", by="policy_notice")
async def test_change_notify__every_account_is_told_once_and_one_that_leaves_is_not(
    database: TestDatabase, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "BATCH", 3)
    accounts = {database.account() for _ in range(10)}
    database.account(deletion_requested_at=datetime.now(UTC))
    async with worker(declared, database.dsn, []) as node:
        told: list[int] = []
        assert await made(node).count() == 10
        assert await made(node).send(told.append) == 10
        assert told == [3, 3, 3, 1]
        assert await made(node).send() == 0, "again tells nobody twice"
        assert await made(node, "3.0").send() == 10, "another version is other news"
    rows = database.execute("""SELECT account_id, template, "values"->>'version' FROM outbox""")
    assert {(account, "policy_change", "2.0") for account in accounts} < set(rows)
    assert len(rows) == 20


async def test_who_is_cut_off_between_batches_goes_on_where_it_was(
    database: TestDatabase, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "BATCH", 3)
    for _ in range(10):
        database.account()

    class KilledError(Exception):
        pass

    def after_two(accounts: int) -> None:
        if database.count("outbox") >= 6:
            raise KilledError

    async with worker(declared, database.dsn, []) as node:
        with pytest.raises(KilledError):
            await made(node).send(after_two)
        assert database.count("outbox") == 6
        assert await made(node).send() == 4
    assert database.value("SELECT count(DISTINCT account_id) FROM outbox") == 10


async def test_a_version_without_a_name_that_fits_is_refused(database: TestDatabase, declared: Declared) -> None:
    database.account()
    async with worker(declared, database.dsn, []) as node:
        with pytest.raises(MailRefusedError):
            await made(node, "two words").send()
