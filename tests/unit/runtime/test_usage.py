import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crouter.contract.data import Field
from crouter.contract.measures import MEASURES
from crouter.runtime.database.pool import Database
from crouter.runtime.journal.entry import FORM, Entry, read_entry
from crouter.runtime.pricing.rates import Rate
from crouter.runtime.pricing.settlement import Charge, Part
from crouter.runtime.proxy.attempt import Outcome, UsageRecordDraft
from crouter.runtime.proxy.options import ORDINARY
from crouter.runtime.proxy.usage import UsageCounts
from crouter.runtime.settings import read_store_settings
from crouter.runtime.usage import Settlement, UsageStore, noted_of
from crouter.runtime.usage_columns import UnfilledColumnError
from tests.unit.runtime.declarations import DEPLOYMENT, USAGE
from tests.unit.runtime.test_settings import PRODUCTION

COUNTS = UsageCounts(
    input_tokens=5,
    output_tokens=0,
    cache_creation_1h_input_tokens=7,
    service_tier="standard",
    further=(("audio_tokens", 0), ("image.pixels", 9)),
)
RATE = Rate(input=4, output=20, cache_write_5m=5, cache_write_1h=10, cache_read=2, web_search=0)
PART = Part("claude-answered", COUNTS, RATE, 7 * 10 + 5 * 4)
SETTLEMENT = Settlement(
    id=uuid.UUID(int=1),
    account=uuid.UUID(int=2),
    api_key=uuid.UUID(int=3),
    occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
    draft=UsageRecordDraft(
        model_requested="claude-asked",
        model_reported="claude-answered",
        options_requested=ORDINARY,
        counts=COUNTS,
        outcome=Outcome.COMPLETE,
        status=200,
        billable=True,
        output_is_placeholder=False,
        unknown_keys=(),
        anomalies=(),
    ),
    charge=Charge(7 * 10 + 5 * 4, (PART,), "2026-11-23", ()),
)


def entry_of(settlement: Settlement) -> Entry:
    """What the journal keeps of it, read again."""
    return read_entry(noted_of(settlement, "d1").body)


def test_every_measure_of_the_contract_has_a_value_and_none_is_not_zero() -> None:
    entry = entry_of(SETTLEMENT)
    assert set(MEASURES) <= set(Entry.__struct_fields__)
    assert (entry.policy_digest, entry.occurred_at) == ("d1", SETTLEMENT.occurred_at)
    assert (entry.input_tokens, entry.output_tokens, entry.cache_read_tokens) == (5, 0, None)
    assert (entry.cache_write_1h_tokens, entry.cache_write_5m_tokens) == (7, None)
    assert (entry.model, entry.service_tier) == ("claude-answered", "standard")


def test_each_count_stands_under_its_own_name() -> None:
    counts = UsageCounts(1, 2, 3, 4, 5, 6, 7, "priority", "fast", "eu")
    draft = replace(SETTLEMENT.draft, counts=counts, model_reported=None, outcome=Outcome.CLIENT_LEFT)
    assert entry_of(replace(SETTLEMENT, draft=draft)) == Entry(
        id=SETTLEMENT.id,
        account=SETTLEMENT.account,
        api_key=SETTLEMENT.api_key,
        occurred_at=SETTLEMENT.occurred_at,
        model="claude-asked",
        outcome="client_left",
        cost_nanousd=90,
        price_version="2026-11-23",
        policy_digest="d1",
        form=FORM,
        input_tokens=1,
        output_tokens=2,
        cache_write_5m_tokens=3,
        cache_write_1h_tokens=4,
        cache_read_tokens=5,
        web_search_requests=6,
        web_fetch_requests=7,
        priced_counts={"cache_write_1h_tokens.10": 7, "input_tokens.4": 5},
        service_tier="priority",
    )


def test_what_is_shipped_says_of_itself_what_its_text_says() -> None:
    noted, entry = noted_of(SETTLEMENT, "d1"), entry_of(SETTLEMENT)
    said = (noted.id, noted.account, noted.api_key, noted.occurred_at, noted.cost_nanousd)
    assert said == (entry.id, entry.account, entry.api_key, entry.occurred_at, entry.cost_nanousd)


def test_counts_without_a_column_are_kept_by_name_and_an_explicit_zero_stays_zero() -> None:
    assert entry_of(SETTLEMENT).further_counts == {"audio_tokens": 0, "image.pixels": 9}
    plain = replace(SETTLEMENT, draft=replace(SETTLEMENT.draft, counts=UsageCounts(input_tokens=0)))
    assert entry_of(plain).further_counts is None
    assert entry_of(plain).input_tokens == 0


def test_what_was_charged_at_which_rate_stands_in_the_row() -> None:
    assert entry_of(SETTLEMENT).priced_counts == {"cache_write_1h_tokens.10": 7, "input_tokens.4": 5}
    free = replace(SETTLEMENT, charge=Charge(0, (), "2026-11-23", ()))
    assert entry_of(free).priced_counts == {}


@pytest.mark.claim("collect-usage")
def test_a_column_that_nothing_fills_is_refused_at_the_start_with_its_place_in_the_policy() -> None:
    database = Database(read_store_settings(PRODUCTION), "crouter")
    stray = Field("mood", "text", "mood", "data.usage.mood", personal=True, purposes=("billing",))
    UsageStore(DEPLOYMENT, database)
    deployment = replace(DEPLOYMENT, records=(replace(USAGE, fields=(*USAGE.fields, stray)),))
    with pytest.raises(UnfilledColumnError, match=r"data\.usage\.mood"):
        UsageStore(deployment, database)
    optional = replace(DEPLOYMENT, records=(replace(USAGE, fields=(*USAGE.fields, replace(stray, required=False))),))
    UsageStore(optional, database)
