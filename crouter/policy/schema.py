"""The policy language as a JSON Schema (2020-12), for editors that complete and check while one types.

A schema sees one value at a time: that names are declared, and that parts fit each other, is for `crouter check`.
"""

import functools
from typing import Any, TypeAlias

from crouter.policy.forms import (
    Choice,
    Day,
    Either,
    Form,
    Key,
    ListOf,
    MapOf,
    Number,
    OneKindOf,
    PartForm,
    Words,
    YesNo,
)
from crouter.policy.language import language
from crouter.policy.types import Shape

JsonObject: TypeAlias = dict[str, Any]


def policy_schema() -> JsonObject:
    """The schema of a whole policy.yaml. Unknown keys are refused at every level."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Crouter policy",
        **_of_part(language()),
    }


@functools.singledispatch
def _schema(form: Form) -> JsonObject:
    raise AssertionError(f"no schema for {type(form).__name__}")


@_schema.register
def _of_words(form: Words) -> JsonObject:
    return {**_of_shape(form.shape), "examples": [form.shape.example]}


@_schema.register
def _of_number(form: Number) -> JsonObject:
    bounds = {"minimum": form.minimum, "maximum": form.maximum}
    return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}


@_schema.register
def _of_day(form: Day) -> JsonObject:
    return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": [form.example]}


@_schema.register
def _of_yes_no(form: YesNo) -> JsonObject:
    return {"type": "boolean"}


@_schema.register
def _of_choice(form: Choice) -> JsonObject:
    return {"const": form.values[0]} if len(form.values) == 1 else {"enum": list(form.values)}


@_schema.register
def _of_either(form: Either) -> JsonObject:
    return {"anyOf": [_schema(one) for one in form.forms]}


@_schema.register
def _of_list(form: ListOf) -> JsonObject:
    schema: JsonObject = {"type": "array", "items": _schema(form.item)}
    if isinstance(form.item, Words | Choice):
        schema["uniqueItems"] = True
    return schema if form.may_be_empty else {**schema, "minItems": 1}


@_schema.register
def _of_map(form: MapOf) -> JsonObject:
    names = _of_shape(form.key)
    schema: JsonObject = {"type": "object", "propertyNames": names, "additionalProperties": _schema(form.value)}
    return schema if form.may_be_empty else {**schema, "minProperties": 1}


@_schema.register
def _of_part(form: PartForm) -> JsonObject:
    return {
        "type": "object",
        "description": form.words,
        "properties": {key.name: _of_key(key) for key in form.keys.values()},
        "required": [key.name for key in form.keys.values() if key.required],
        "additionalProperties": False,
    }


@_schema.register
def _of_kinds(form: OneKindOf) -> JsonObject:
    return {"oneOf": [_schema(kind) for kind in form.kinds.values()]}


def _of_key(key: Key) -> JsonObject:
    # The words of a key are nearer to what its author asks than those of the part that it holds.
    return {**_schema(key.form), "description": key.words}


def _of_shape(shape: Shape) -> JsonObject:
    schema: JsonObject = {"type": "string", "minLength": 1, "maxLength": shape.length_max, "pattern": shape.pattern}
    return {**schema, "not": {"enum": sorted(shape.reserved)}} if shape.reserved else schema
