from crouter.contract.retention import Fold, Hold, Period
from crouter.plan.plan import make_plan
from crouter.plan.retention import plan_retention
from tests.cases.generate.cases import whole_policy


def test_a_rule_for_active_accounts_has_no_job() -> None:
    plan = plan_retention(whole_policy())
    assert [rule.name for rule in plan.expire] == ["usage", "evidence"]
    assert [rule.name for rule in plan.erase] == ["deletion"]
    assert plan.evidence == "retention_run"


def test_a_policy_without_evidence_names_none() -> None:
    without = whole_policy({"data.retention_run": None, "retention.evidence": None})
    assert plan_retention(without).evidence is None


def test_a_period_keeps_its_calendar_units() -> None:
    (usage, _) = plan_retention(whole_policy({"retention.usage.keep": "P1Y6M"})).expire
    assert usage.keep == Period(text="P1Y6M", months=18, days=0, seconds=0)


def test_charges_are_folded_by_the_rule_they_go_along_with() -> None:
    (usage, evidence) = plan_retention(whole_policy()).expire
    assert usage.folds == (
        Fold(
            record="ledger",
            time_column="occurred_at",
            kind_column="kind",
            kind="charge",
            into="carried",
            sum_column="amount_nanousd",
            owner_column="account_id",
        ),
    )
    assert evidence.folds == ()


def test_a_deletion_knows_its_owner_its_clock_and_what_the_law_keeps() -> None:
    (deletion,) = plan_retention(whole_policy()).erase
    assert (deletion.owner, deletion.time_column, deletion.erased_column) == (
        "account",
        "deletion_requested_at",
        "erased_at",
    )
    law = "Directive 2006/112/EC, Article 369k (VAT records)"
    period = Period(text="P10Y", months=120, days=0, seconds=0)
    assert deletion.holds == (Hold("ledger", "kind", ("top_up", "refund"), "occurred_at", period, law),)


def test_rows_go_before_the_rows_they_refer_to_however_the_policy_lists_them() -> None:
    for order in (["api_key", "usage", "ledger", "account"], ["ledger", "account", "api_key", "usage"]):
        (deletion,) = plan_retention(whole_policy({"retention.deletion.of": order})).erase
        assert "account" not in deletion.records
        assert deletion.records.index("usage") < deletion.records.index("api_key")


def test_categories_that_refer_to_one_another_still_have_an_order() -> None:
    circle = {"data.api_key.technical.last_usage": {"type": "reference", "to": "usage", "why": "x", "optional": True}}
    (deletion,) = plan_retention(whole_policy(circle)).erase
    assert sorted(deletion.records) == ["api_key", "ledger", "usage"]


def test_the_service_is_told_the_same_plan() -> None:
    plan = make_plan(whole_policy())
    assert plan.deployment.retention == plan.retention == plan_retention(whole_policy())
