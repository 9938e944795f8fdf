"""Examples fit their schemas."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crouter.simulator.structured import example_of

SCHEMAS: list[dict[str, Any]] = [
    {"type": "string", "minLength": 40},
    {"type": ["integer", "null"], "minimum": 3},
    {"enum": ["a", "b"]},
    {"const": 7},
    {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    {"type": "array", "items": {"type": "number"}, "minItems": 2},
    {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"type": "string"}},
        "required": ["a"],
        "additionalProperties": False,
        "$defs": {"a": {"type": "object", "properties": {}, "required": []}},
    },
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_an_example_is_valid(schema: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(example_of(schema))


def test_a_schema_without_end_ends() -> None:
    endless = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert "next" in example_of(endless)
    assert example_of({"$ref": "#"}) is not None
