from typing import Any

import pytest

from crouter.plan.plan import make_plan
from crouter.plan.schema import Table
from tests.cases.generate.cases import whole_policy


def table(name: str, edits: dict[str, Any] | None = None) -> Table:
    (found,) = (table for table in make_plan(whole_policy(edits)).schema.tables if table.name == name)
    return found


def constraint(name: str, of: Table) -> str | None:
    return next((item.definition for item in of.constraints if item.name == name), None)


@pytest.mark.claim("exclude-location", by="declared_columns")
@pytest.mark.claim("exclude-content", by="declared_columns")
@pytest.mark.claim("collect-payment", by="declared_columns")
@pytest.mark.claim("collect-account", by="declared_columns")
def test_there_is_one_table_for_each_category_and_one_column_for_each_field() -> None:
    policy = whole_policy()
    schema = make_plan(policy).schema
    assert {item.name: {column.name for column in item.columns} for item in schema.tables} == {
        name: {*category.fields, *category.technical} for name, category in policy.data.items()
    }


def test_every_column_says_where_the_policy_declares_it() -> None:
    for item in make_plan(whole_policy()).schema.tables:
        assert item.comment.endswith(f"(data.{item.name})")
        for column in item.columns:
            assert column.comment.endswith(f"(data.{item.name}.{column.name})")


def test_what_a_column_may_hold_is_bounded() -> None:
    key, ledger, usage = table("api_key"), table("ledger"), table("usage")
    assert constraint("api_key_lookup_bounds", key) == 'CHECK (octet_length("lookup") = 32)'
    assert constraint("api_key_sealed_bounds", key) == 'CHECK (octet_length("sealed") BETWEEN 29 AND 4096)'
    assert constraint("usage_input_tokens_bounds", usage) == 'CHECK ("input_tokens" >= 0)'
    assert constraint("usage_model_bounds", usage) == 'CHECK (octet_length("model") <= 1000)'
    assert constraint("ledger_amount_nanousd_bounds", ledger) is None
    tally = {"label": "tallies", "type": "counts", "purposes": ["billing"], "data_category": "user", "dpv": "Name"}
    counted = table("account", {"data.account.fields.tally": {**tally, "label": "tallies"}})
    assert constraint("account_tally_bounds", counted) == (
        """CHECK ("tally"::text ~ '^[{]("[a-z0-9_.]+": [0-9]+(, )?)*[}]$' AND octet_length("tally"::text) <= 2656)"""
    )
    values = "CHECK (\"kind\" IN ('carried', 'charge', 'grant', 'refund', 'top_up'))"
    assert constraint("ledger_kind_values", ledger) == values


def test_technical_columns_are_required_and_personal_ones_where_the_policy_says_so() -> None:
    account = table("account")
    assert constraint("account_created_at_required", account) == 'CHECK ("created_at" IS NOT NULL)'
    assert constraint("account_erased_at_required", account) is None
    assert constraint("account_email_required", account) is None


def test_a_required_personal_field_excuses_an_account_that_is_being_erased() -> None:
    account = table("account", {"data.account.fields.email.required": True})
    assert constraint("account_email_required", account) == (
        'CHECK ("email" IS NOT NULL OR "deletion_requested_at" IS NOT NULL OR "erased_at" IS NOT NULL)'
    )


def test_a_row_outlives_none_that_it_must_refer_to_and_forgets_the_others() -> None:
    required = constraint("usage_account_id_reference", table("usage"))
    optional = constraint(
        "usage_api_key_id_reference", table("usage", {"data.usage.technical.api_key_id.optional": True})
    )
    assert required == 'FOREIGN KEY ("account_id") REFERENCES "crouter"."account" ON DELETE NO ACTION'
    assert optional == 'FOREIGN KEY ("api_key_id") REFERENCES "crouter"."api_key" ON DELETE SET NULL'


def test_retention_finds_its_rows_by_an_index() -> None:
    assert ("occurred_at",) in {index.columns for index in table("usage").indexes}
    assert ("kind", "occurred_at") in {index.columns for index in table("ledger").indexes}
    assert ("deletion_requested_at",) in {index.columns for index in table("account").indexes}
    assert ("started_at",) in {index.columns for index in table("retention_run").indexes}


def test_every_reference_has_an_index_and_an_owners_rows_stand_in_order() -> None:
    assert {index.columns for index in table("usage").indexes} >= {("account_id", "occurred_at"), ("api_key_id",)}
    assert ("account_id",) in {index.columns for index in table("api_key").indexes}
