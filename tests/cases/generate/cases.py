"""Policies of the cases: read from their folders, and edited as a maintainer would."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from crouter.policy.model import Policy

FOLDER = Path(__file__).parent
WHOLE = FOLDER / "whole" / "policy.yaml"


def whole_policy(edits: Mapping[str, Any] | None = None) -> Policy:
    """The policy of the case `whole`, with `edits`: a dotted path to its new value, or None to take it away.

    Builds the model without the rules across parts: generating has to be right for any policy that the model allows.
    """
    said = yaml.safe_load(WHOLE.read_text(encoding="utf-8"))
    for path, value in (edits or {}).items():
        *way, last = path.split(".")
        part = said
        for key in way:
            part = part[key]
        if value is None:
            del part[last]
        else:
            part[last] = value
    return Policy.model_validate(_frozen(said))


def edits_of(case: Path) -> dict[str, Any]:
    """The edits of a case that has some."""
    edits: dict[str, Any] = yaml.safe_load((case / "edits.yaml").read_text(encoding="utf-8"))
    return edits


def _frozen(value: Any) -> Any:
    """YAML's lists as the tuples that the strict model takes."""
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
