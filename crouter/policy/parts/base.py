"""The base of every part of policy.yaml."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Frozen, refuses unknown keys, and converts nothing: a number is not a text, a text is not a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
