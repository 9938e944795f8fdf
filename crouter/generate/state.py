"""A schema as JSON, and its structure as a digest.

Comments are no structure: they repeat the policy's labels, and a better word in the policy is no reason to migrate.
A migration that is needed for something else brings the comments up to date as well; schema.sql always shows them.
"""

import json
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter

from crouter.plan.schema import Schema

_SCHEMA: TypeAdapter[Schema] = TypeAdapter(Schema)


def state_of(schema: Schema) -> dict[str, Any]:
    """`schema` as JSON values; `schema_of` reads them again."""
    state: dict[str, Any] = _SCHEMA.dump_python(schema, mode="json")
    # Histories written before there were partitions or triggers lack these keys, and stay as they are to the byte.
    if not state["routines"]:
        del state["routines"]
    for table in state["tables"]:
        if table["partitioned_by"] is None:
            del table["partitioned_by"]
        if not table["triggers"]:
            del table["triggers"]
    return state


def schema_of(state: object) -> Schema:
    """The schema that `state_of` wrote. Raises ValueError for anything else."""
    return _SCHEMA.validate_python(state)


def structure_digest(schema: Schema) -> str:
    """The SHA-256 of what a migration would have to change. Neither comments nor any order counts."""
    return sha256(json.dumps(_structure(state_of(schema)), sort_keys=True).encode()).hexdigest()


def _structure(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _structure(item) for key, item in value.items() if key != "comment"}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        key = "name" if "name" in value[0] else "role"
        return sorted((_structure(item) for item in value), key=lambda item: str(item[key]))
    return value
