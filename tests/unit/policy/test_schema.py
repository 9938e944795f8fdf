"""The JSON Schema takes what the models take, and refuses what they refuse of a single value."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crouter.policy.document import read
from crouter.policy.schema import policy_schema
from tests.unit.policy import cases
from tests.unit.policy.test_load import POLICY


@lru_cache(maxsize=1)
def validator() -> Draft202012Validator:
    return Draft202012Validator(policy_schema())


def as_an_editor_sees(value: Any) -> Any:
    """The file as JSON: editors take days for text."""
    if isinstance(value, dict):
        return {key: as_an_editor_sees(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [as_an_editor_sees(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def errors_of(text: str) -> list[str]:
    return [error.json_path for error in validator().iter_errors(as_an_editor_sees(read(text, "p").tree))]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(policy_schema())
    assert policy_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", [POLICY, cases.MINIMAL], ids=["the first policy", "the minimal policy"])
def test_good_policies_pass(path: Any) -> None:
    assert errors_of(path.read_text(encoding="utf-8")) == []


# What a schema sees: model problems; but a day in place of text, or the reverse, is the same to an editor.
MODEL_CASES = [name for name in cases.NAMES if name.startswith(("model-", "hosts-of-everybody"))]


@pytest.mark.parametrize("name", MODEL_CASES)
def test_bad_values_are_refused(name: str) -> None:
    assert errors_of(cases.text_of(name))


@pytest.mark.parametrize("name", ["limits-upside-down", "unknown-purpose", "not-said-at-all"])
def test_what_crosses_parts_is_not_for_the_schema(name: str) -> None:
    assert errors_of(cases.text_of(name)) == []


def test_unknown_keys_are_refused_at_every_level() -> None:
    text = cases.MINIMAL.read_text(encoding="utf-8")
    for where, known in {
        "$": "metrics: {}",
        "$.policy": "  locale: en",
        "$.processors.upstream": "    mode: transit",
    }.items():
        indent = known[: len(known) - len(known.lstrip())]
        assert errors_of(text.replace(known, f"{known}\n{indent}surprise: 1")) == [where]


def test_every_key_has_a_description() -> None:
    def descriptions(schema: Any) -> Iterator[str | None]:
        for inner in schema.get("properties", {}).values():
            yield inner.get("description")
            yield from descriptions(inner)
        for inner in (schema.get("items"), schema.get("additionalProperties"), *schema.get("oneOf", ())):
            if isinstance(inner, dict):
                yield from descriptions(inner)

    found = list(descriptions(policy_schema()))
    assert len(found) > 120
    assert all(found)


def test_each_call_gives_its_own_object() -> None:
    first = policy_schema()
    first["properties"].clear()
    assert policy_schema()["properties"]
