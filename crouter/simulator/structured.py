"""A value that fits a JSON schema: for forced tools and for structured outputs.

Fills required properties only. Not a validator, and no full JSON Schema: patterns, formats and
conditions are left out.
"""

from typing import Any

Json = dict[str, Any]

# Schemas may refer to themselves, and may ask for any size.
DEPTH_MAX = 8
ITEMS_MAX = 8
TEXT_MAX = 10_000
TEXTS = {"title": "Simulated session", "query": "simulated query", "command": "true"}


def example_of(schema: Json, name: str = "", root: Json | None = None, depth: int = 0) -> Any:
    """An example for `schema`; `name` is the property it is for and flavours a text."""
    root = schema if root is None else root
    if depth > DEPTH_MAX:
        return None
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    for value in _list_in(schema, "enum"):
        return value
    for union in ("anyOf", "oneOf", "allOf"):
        for first in _list_in(schema, union):
            return example_of(_dict(first), name, root, depth + 1)
    return _of_kind(schema, name, root, depth)


def required_in(schema: Json) -> list[str]:
    """The names of the required properties."""
    return [name for name in _list_in(schema, "required") if isinstance(name, str)]


def dict_in(schema: Json, name: str) -> Json:
    """The object under `name`, empty when there is something else."""
    return _dict(schema.get(name))


def _list_in(schema: Json, name: str) -> list[Any]:
    """The list under `name`; a schema is a client's text and may hold anything there."""
    value = schema.get(name)
    return value if isinstance(value, list) else []


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _of_kind(schema: Json, name: str, root: Json, depth: int) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0] if kind else "string"
    if kind == "object":
        properties = dict_in(schema, "properties")
        return {key: example_of(dict_in(properties, key), key, root, depth + 1) for key in required_in(schema)}
    if kind == "array":
        count = min(_whole(schema, "minItems"), ITEMS_MAX)
        return [example_of(dict_in(schema, "items"), name, root, depth + 1)] * count
    return _scalar(kind, schema, name)


def _scalar(kind: object, schema: Json, name: str) -> Any:
    if kind == "boolean":
        return False
    if kind == "null":
        return None
    if kind in ("integer", "number"):
        return schema.get("minimum", 0)
    text = TEXTS.get(name, f"simulated {name}".strip())
    return text.ljust(min(_whole(schema, "minLength"), TEXT_MAX), ".")


def _whole(schema: Json, name: str) -> int:
    value = schema.get(name)
    return value if isinstance(value, int) else 0


def _resolved(schema: Json, root: Json) -> Json:
    """Follow `$ref` inside the document; a reference that leads nowhere is an open schema."""
    for _ in range(DEPTH_MAX):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        found = root
        for step in reference[1:].strip("/").split("/"):
            found = dict_in(found, step) if step else found
        schema = found
    return {}
