"""What `disclosures` says stands in the processing record, and what it leaves out is MISSING there."""

from typing import Any

from crouter.generate.views.record_article30 import processing_record, processing_rows
from crouter.generate.views.record_facts import MISSING
from crouter.plan.digest import policy_digest
from crouter.plan.plan import Plan, make_plan
from crouter.policy.load import load
from tests.unit.policy import cases

COMPLETE = cases.COMPLETE.read_text(encoding="utf-8")


def plan_of(text: str) -> Plan:
    policy = load(text).policy
    assert policy is not None
    return make_plan(policy)


def record_of(text: str) -> dict[str, Any]:
    return processing_record(plan_of(text))


def test_what_is_said_stands_in_the_record() -> None:
    record = record_of(COMPLETE)
    assert record["controller"]["data_protection_officer"] == "none"
    assert record["transfers_to_third_countries"] == "none"
    assert record["recipients"][0]["third_country"] == "none"
    assert record["recipients"][0]["processing_agreement"] == "Upstream: a data processing agreement"
    assert {row["third_countries"] for row in processing_rows(plan_of(COMPLETE))} == {"none"}


def test_what_is_left_out_is_missing() -> None:
    record = record_of(cases.MINIMAL.read_text(encoding="utf-8"))
    assert record["disclosures"] == MISSING
    assert record["controller"]["representative"] == MISSING
    assert record["transfers_to_third_countries"] == MISSING
    assert record["recipients"][0]["processing_agreement"] == MISSING


def test_an_agreement_counts_for_the_processor_that_it_names() -> None:
    record = record_of(COMPLETE.replace("Upstream: a data", "Somebody else: a data"))
    assert record["recipients"][0]["processing_agreement"] == MISSING


def test_a_waiver_is_no_part_of_what_is_promised() -> None:
    waiver = "waivers: [{rule: PX-21, place: sources, reason: known, owner: Ada, expires: 2030-01-31}]\n"
    plain, waived, said = (load(text).policy for text in (COMPLETE, COMPLETE + waiver, cases.MINIMAL.read_text()))
    assert plain is not None
    assert waived is not None
    assert said is not None
    assert policy_digest(plain) == policy_digest(waived) != policy_digest(said)
