"""A change is told in the right group with the right weight, and nothing that changes goes untold."""

from typing import Any

import pytest

from crouter.plan.difference import Change, Difference, compare
from crouter.plan.difference.law import law_changes
from crouter.plan.difference.paragraph import what_changed
from crouter.policy.model import Policy
from crouter.policy.problems import Place, Problem
from crouter.policy.rules import ALL_RULES
from tests.cases.generate.cases import whole_policy
from tests.unit.plan.difference.edits import AD_COOKIE, EDITS, LONGER, NAMES, OWN_COOKIE, WEAKER, WHOLE, edited_policy


def weights(difference: Difference) -> set[str]:
    return {change.weight for change in difference.changes if change.weight}


@pytest.mark.parametrize(("edits", "told", "forward", "backward"), [edit[1:] for edit in EDITS], ids=NAMES)
def test_an_edit_is_told_and_weighed_both_ways(
    edits: dict[str, Any], told: str, forward: set[str], backward: set[str]
) -> None:
    edited = edited_policy(edits)
    difference, undone = compare(WHOLE, edited), compare(edited, WHOLE)
    assert told in {change.id for change in difference.changes}
    assert weights(difference) == forward
    assert weights(undone) == backward
    assert {change.weight for change in difference.significant} == forward
    assert undone


@pytest.mark.parametrize("edits", [edit[1] for edit in EDITS], ids=NAMES)
def test_every_id_is_given_once(edits: dict[str, Any]) -> None:
    changes = compare(WHOLE, edited_policy(edits)).changes
    assert len({change.id for change in changes}) == len(changes)


def test_there_are_enough_edits() -> None:
    assert len(EDITS) >= 40


# What a change says beside its weight


def one(edits: dict[str, Any], told: str) -> Change:
    return next(change for change in compare(WHOLE, edited_policy(edits)).changes if change.id == told)


def test_the_sentences_that_change_are_told_before_and_after() -> None:
    (said,) = one({"retention.usage.keep": "P18M"}, "customers:changed:retention.usage.keep").said
    assert said.claim == "retain-usage"
    assert "for 12 months" in (said.before or "")
    assert "for 18 months" in (said.after or "")


@pytest.mark.parametrize(
    ("edits", "asks"),
    [
        ({"cookies.ads": AD_COOKIE}, True),
        ({"cookies.own": OWN_COOKIE}, False),
        ({"analytics.events.scroll": {"label": "scrolling", "properties": ["path"]}}, True),
        ({"retention.usage.keep": "P18M"}, False),
    ],
)
def test_consent_is_asked_again_for_more_than_was_agreed_to(edits: dict[str, Any], asks: bool) -> None:
    assert compare(WHOLE, edited_policy(edits)).asks_again is asks


def test_leaving_a_kind_out_of_the_list_does_not_hide_the_change_that_comes_with_it() -> None:
    edits = {"policy.changes.significant": ["new_data"], "retention.usage.keep": "P24M"}
    assert LONGER in {change.weight for change in compare(WHOLE, edited_policy(edits)).significant}


def test_what_the_policy_does_not_call_significant_is_not() -> None:
    lax = edited_policy({"policy.changes.significant": ["new_data"]})
    edited = edited_policy({"policy.changes.significant": ["new_data"], "retention.usage.keep": "P24M"})
    (change,) = [change for change in compare(lax, edited).changes if change.weight]
    assert not change.significant


def test_a_renamed_key_goes_and_comes() -> None:
    name = WHOLE.data["usage"].fields["cache_read_tokens"].model_dump(mode="json", exclude_none=True)
    edits = {"data.usage.fields.cache_read_tokens": None, "data.usage.fields.cached": name}
    told = {change.id for change in compare(WHOLE, edited_policy(edits)).changes}
    assert {"customers:removed:data.usage.fields.cache_read_tokens", "customers:added:data.usage.fields.cached"} <= told


def test_a_renamed_retention_rule_is_no_longer_retention() -> None:
    rule = {"of": ["usage"], "keep": "P12M", "from": "occurred_at", "every": "PT1H", "lag_max": "PT1H"}
    sections = WHOLE.model_dump(mode="json", by_alias=True)["sections"]
    for section in sections:
        for claim in section["claims"].values():
            claim["about"] = claim["about"].replace("retention.usage", "retention.logs")
    edits = {"retention.usage": None, "retention.logs": rule, "sections": sections}
    told = compare(WHOLE, whole_policy(edits)).changes
    assert "longer_retention" not in {change.weight for change in told}


# Sections and claims


def sections() -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = WHOLE.model_dump(mode="json", by_alias=True)["sections"]
    return said


def told_of(edited: list[dict[str, Any]]) -> dict[str, str | None]:
    difference = compare(WHOLE, whole_policy({"sections": edited}))
    return {change.id: change.weight for change in difference.changes}


def test_a_claim_that_goes_is_a_weaker_promise() -> None:
    edited = sections()
    del edited[1]["claims"]["exclude-retention"]
    assert told_of(edited) == {"customers:removed:sections[1].claims.exclude-retention": WEAKER}


def test_a_claim_that_moves_is_not() -> None:
    edited = sections()
    edited[-1]["claims"]["no-office"] = edited[1]["claims"].pop("no-office")
    assert told_of(edited) == {"customers:changed:sections[9].claims.no-office": None}


def test_sections_and_claims_in_another_order_are_not() -> None:
    edited = sections()[::-1]
    edited[0]["title"] = "Whom to ask"
    edited[1]["claims"] = dict(reversed(edited[1]["claims"].items()))
    assert set(told_of(edited).values()) == {None}


def test_a_claim_that_says_another_sentence_is_a_weaker_promise() -> None:
    edited = sections()
    edited[1]["claims"]["exclude-location"]["about"] = "never.sale"
    assert told_of(edited)["customers:changed:sections[1].claims.exclude-location.says"] == WEAKER


def test_a_claim_that_is_enforced_by_less_is_told_for_the_code() -> None:
    edited = sections()
    edited[1]["claims"]["exclude-content"]["enforced_by"] = ["usage_tap"]
    assert told_of(edited) == {"code:changed:sections[1].claims.exclude-content.enforced_by": None}


def test_a_paragraph_for_customers_names_no_place_of_the_policy() -> None:
    edited = whole_policy({"data.usage.label": "usage figures", "proxy.limits.requests_per_minute": 40})
    paragraph = what_changed(compare(WHOLE, edited), "1.0")
    assert "data.usage" not in paragraph
    assert "These claims are worded differently: collect-usage" in paragraph


# The law


def test_a_finding_that_is_new_is_told_and_one_that_is_mended_too() -> None:
    edited = whole_policy({"proxy.limits.requests_per_hour": 10})
    problem = Problem("PR-36", "error", Place("policy.yaml"), _sentence(edited, "PR-36"), "")
    (found,) = law_changes(WHOLE, edited, (problem,))
    (mended,) = law_changes(edited, WHOLE, ())
    assert (found.kind, mended.kind) == ("added", "removed")
    assert "PR-36" in found.summary
    assert not tuple(law_changes(WHOLE, edited, ())), "what loading does not tell, because it is waived, is not new"


def _sentence(policy: Policy, code: str) -> str:
    return next(found.sentence for rule in ALL_RULES if rule.code == code for found in rule.check(policy))
