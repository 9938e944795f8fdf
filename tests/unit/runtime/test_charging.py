"""Charges are added up by key and by month, and nothing of them gets lost."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

from crouter.runtime.charging import tallied
from crouter.runtime.journal.noted import Noted
from crouter.runtime.spending.months import limit_id
from crouter.runtime.tally import Tally

ACCOUNT, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
KEY, SECOND = uuid.UUID(int=3), uuid.UUID(int=4)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MONTH = datetime(2026, 11, 1, tzinfo=UTC)


def noted(cost: int, at: datetime = NOON, account: uuid.UUID = ACCOUNT, key: uuid.UUID = KEY) -> Noted:
    return Noted(uuid.uuid4(), account, uuid.UUID(int=key.int), at, cost, b"{}")


def test_charges_of_a_key_in_a_month_are_one_sum() -> None:
    later, earlier = NOON + timedelta(days=3), NOON - timedelta(days=3)
    (tally,) = tallied([noted(1), noted(20, later), noted(300, earlier), noted(0)])
    assert tally == Tally(
        account=ACCOUNT,
        api_key=KEY,
        month=MONTH,
        key_limit=limit_id(KEY, NOON),
        account_limit=limit_id(ACCOUNT, NOON),
        first_at=earlier,
        last_at=later,
        records=4,
        cost_nanousd=321,
    )


def test_other_keys_accounts_and_months_have_sums_of_their_own() -> None:
    entries = [
        noted(1),
        noted(2, key=SECOND),
        noted(3, account=OTHER),
        noted(4, NOON + timedelta(days=8)),
        noted(5, NOON + timedelta(days=365)),
    ]
    tallies = tallied([*entries, *entries])
    assert [(tally.records, tally.cost_nanousd) for tally in tallies] == [(2, 2), (2, 4), (2, 6), (2, 8), (2, 10)]
    assert len({(tally.key_limit, tally.account_limit) for tally in tallies}) == 5


def test_months_are_those_of_utc() -> None:
    east = datetime(2026, 12, 1, 3, tzinfo=timezone(timedelta(hours=5)))
    assert [tally.month for tally in tallied([noted(1, east)])] == [MONTH]


def test_nothing_comes_to_nothing() -> None:
    assert tallied([]) == []
