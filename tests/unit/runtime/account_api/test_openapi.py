"""The document is made from the declarations, and the one in docs/ is in step with them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from crouter.plan.plan import make_plan
from crouter.policy.load import load_file
from crouter.runtime.account_api.openapi import openapi_document, openapi_text
from crouter.runtime.account_api.operation import Operation
from crouter.runtime.account_api.operations import OPERATIONS

ROOT = Path(__file__).parents[4]
FILE = ROOT / "docs" / "account-api.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(_identity(), OPERATIONS)


def _identity() -> Any:
    policy = load_file(ROOT / "policy.yaml").policy
    assert policy is not None
    return make_plan(policy).deployment.identity


def test_the_document_in_docs_is_in_step() -> None:
    renew = "write it anew: crouter openapi > docs/account-api.json"
    assert FILE.read_text(encoding="utf-8") == openapi_text(_identity(), OPERATIONS), renew


def _validate(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=jsonschema.FormatChecker()
    ).validate(value)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_examples_are_of_the_declared_form(operation: Operation, document: dict[str, Any]) -> None:
    described = document["paths"][operation.path][operation.method.lower()]
    answered = described["responses"][str(operation.status)]["content"]["application/json"]
    _validate(answered["example"], answered["schema"], document)
    with pytest.raises(jsonschema.ValidationError):
        _validate({**answered["example"], "undeclared": 1}, answered["schema"], document)
    if "requestBody" in described:
        sent = described["requestBody"]["content"]["application/json"]
        _validate(sent["example"], sent["schema"], document)


def test_every_operation_has_an_address_and_a_name_of_its_own() -> None:
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_every_shape_is_strict(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema["additionalProperties"] is False, name


def test_what_changes_something_needs_the_form_token_and_no_key_may(document: dict[str, Any]) -> None:
    changing = 0
    for path in document["paths"].values():
        for method, described in path.items():
            if method != "get":
                changing += 1
                assert described["security"] == [{"session": [], "formToken": []}]
    assert changing >= 5


def test_errors_have_one_shape(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for described in path.values():
            for status, answered in described["responses"].items():
                schema = answered["content"]["application/json"]["schema"]
                assert (schema == {"$ref": "#/components/schemas/Failed"}) == (int(status) >= 400)


def test_the_document_is_the_same_to_the_byte_every_time() -> None:
    assert openapi_text(_identity(), OPERATIONS) == openapi_text(_identity(), OPERATIONS)
    assert json.loads(openapi_text(_identity(), OPERATIONS))["openapi"] == "3.1.0"
