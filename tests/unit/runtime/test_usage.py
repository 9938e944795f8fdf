import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crouter.contract.data import Field
from crouter.contract.measures import MEASURES
from crouter.runtime.database.pool import Database
from crouter.runtime.pricing.settlement import Charge
from crouter.runtime.proxy.attempt import Outcome, UsageRecordDraft
from crouter.runtime.proxy.options import ORDINARY
from crouter.runtime.proxy.usage import UsageCounts
from crouter.runtime.settings import read_store_settings
from crouter.runtime.usage import Settlement, UnfilledColumnError, UsageStore, measured
from tests.unit.runtime.declarations import DEPLOYMENT, USAGE
from tests.unit.runtime.test_settings import PRODUCTION

SETTLEMENT = Settlement(
    id=uuid.UUID(int=1),
    account=uuid.UUID(int=2),
    api_key=uuid.UUID(int=3),
    occurred_at=datetime(2026, 11, 23, tzinfo=UTC),
    draft=UsageRecordDraft(
        model_requested="claude-asked",
        model_reported="claude-answered",
        options_requested=ORDINARY,
        counts=UsageCounts(input_tokens=5, output_tokens=0, cache_creation_1h_input_tokens=7, service_tier="standard"),
        outcome=Outcome.COMPLETE,
        status=200,
        billable=True,
        output_is_placeholder=False,
        unknown_keys=(),
        anomalies=(),
    ),
    charge=Charge(12, (), "2026-11-23", ()),
)


def test_every_measure_of_the_contract_has_a_value_and_none_is_not_zero() -> None:
    values = measured(SETTLEMENT)
    assert set(values) == set(MEASURES)
    assert (values["input_tokens"], values["output_tokens"], values["cache_read_tokens"]) == (5, 0, None)
    assert (values["cache_write_1h_tokens"], values["cache_write_5m_tokens"]) == (7, None)
    assert (values["model"], values["service_tier"]) == ("claude-answered", "standard")


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
