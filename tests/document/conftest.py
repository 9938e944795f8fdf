"""The real policy, edited as a maintainer would."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from crouter.generate.templates import Templates
from crouter.generate.views import policy, records
from crouter.plan.plan import Plan, make_plan
from crouter.policy.model import Policy

REMOVED = "(removed)"
_POLICY = Path(__file__).parents[2] / "policy.yaml"


@pytest.fixture(scope="session")
def written() -> dict[str, Any]:
    """What policy.yaml says, as plain data."""
    loaded: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(_POLICY.read_text(encoding="utf-8")), default=str))
    return loaded


@pytest.fixture(scope="session")
def edit(written: dict[str, Any]) -> Callable[[Mapping[str, Any]], Policy]:
    """Turns edits (path with slashes to value, or `(removed)`) into a validated policy."""

    def edited(edits: Mapping[str, Any]) -> Policy:
        said: Any = copy.deepcopy(written)
        for path, value in edits.items():
            *names, last = path.split("/")
            node = said
            for name in names:
                node = node[int(name)] if isinstance(node, list) else node[name]
            if value == REMOVED:
                del node[last]
            else:
                node[int(last) if isinstance(node, list) else last] = copy.deepcopy(value)
        return Policy.model_validate_json(json.dumps(said))

    return edited


@pytest.fixture(scope="session")
def plan(edit: Callable[[Mapping[str, Any]], Policy]) -> Plan:
    """The plan of the real policy."""
    return make_plan(edit({}))


@pytest.fixture(scope="session")
def files(plan: Plan) -> dict[str, str]:
    """Every document and record of the real policy: path under generated/ to text."""
    return {**policy.render(plan, Templates()), **records.render(plan, Templates())}
