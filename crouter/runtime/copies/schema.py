"""The JSON Schema (2020-12) of a copy, from the declarations that the copy itself follows."""

import json
from collections.abc import Sequence
from typing import Any, Final

from crouter.contract.data import ColumnKind, Field
from crouter.runtime.copies.contents import CopiedRecord

_FORMS: Final[dict[ColumnKind, dict[str, Any]]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "reference": {"type": "string", "format": "uuid"},
    "text": {"type": "string"},
    "email": {"type": "string"},
    "one_of": {"type": "string"},
    "count": {"type": "integer", "minimum": 0},
    "counts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
    "words": {"type": "object", "additionalProperties": {"type": "string"}},
    "date": {"type": "string", "format": "date"},
    "nanousd": {"type": "integer", "description": "1e-9 US dollars"},
    "timestamp": {"type": "string", "format": "date-time"},
}


def json_schema(records: Sequence[CopiedRecord]) -> bytes:
    """The schema of `data.json`."""
    categories = {copied.name: {"type": "array", "items": _row(copied)} for copied in records}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A copy of the data about one account",
        "type": "object",
        "required": list(categories),
        "additionalProperties": False,
        "properties": {"$schema": {"type": "string"}, **categories},
    }
    return json.dumps(schema, indent=2).encode() + b"\n"


def _row(copied: CopiedRecord) -> dict[str, Any]:
    return {
        "type": "object",
        "title": copied.record.label,
        "required": [field.name for field in copied.columns],
        "additionalProperties": False,
        "properties": {field.name: _column(field) for field in copied.columns},
    }


def _column(field: Field) -> dict[str, Any]:
    form = dict(_FORMS[field.kind])
    # What a person did not tell, or what was removed already, is null.
    form["type"] = [form["type"], "null"]
    if field.values:
        form["enum"] = [*field.values, None]
    return {"title": field.label, **form}
