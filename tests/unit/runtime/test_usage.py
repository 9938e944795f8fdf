import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crouter.contract.data import Field
from crouter.contract.measures import MEASURES
from crouter.runtime.database.pool import Database
from crouter.runtime.pricing.rates import Rate
from crouter.runtime.pricing.settlement import Charge, Part
from crouter.runtime.proxy.attempt import Outcome, UsageRecordDraft
from crouter.runtime.proxy.options import ORDINARY
from crouter.runtime.proxy.usage import UsageCounts
from crouter.runtime.settings import read_store_settings
from crouter.runtime.usage import Settlement, UnfilledColumnError, UsageStore, entry_of, measured
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


def test_every_measure_of_the_contract_has_a_value_and_none_is_not_zero() -> None:
    values = measured(SETTLEMENT)
    assert {*values, "policy_digest"} == set(MEASURES)
    assert entry_of(SETTLEMENT, "d1").policy_digest == "d1"
    assert (values["input_tokens"], values["output_tokens"], values["cache_read_tokens"]) == (5, 0, None)
    assert (values["cache_write_1h_tokens"], values["cache_write_5m_tokens"]) == (7, None)
    assert (values["model"], values["service_tier"]) == ("claude-answered", "standard")


def test_counts_without_a_column_are_kept_by_name_and_an_explicit_zero_stays_zero() -> None:
    assert json.loads(measured(SETTLEMENT)["further_counts"]) == {"audio_tokens": 0, "image.pixels": 9}
    plain = replace(SETTLEMENT, draft=replace(SETTLEMENT.draft, counts=UsageCounts(input_tokens=0)))
    assert measured(plain)["further_counts"] is None
    assert measured(plain)["input_tokens"] == 0


def test_what_was_charged_at_which_rate_stands_in_the_row() -> None:
    assert json.loads(measured(SETTLEMENT)["priced_counts"]) == {"cache_write_1h_tokens.10": 7, "input_tokens.4": 5}
    free = replace(SETTLEMENT, charge=Charge(0, (), "2026-11-23", ()))
    assert json.loads(measured(free)["priced_counts"]) == {}


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
