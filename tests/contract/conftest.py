"""The repository's declarations, which say where the vendors' clients may go."""

from pathlib import Path

import pytest

from crouter.contract.deployment import Deployment
from crouter.plan.plan import make_plan
from crouter.policy.load import load

POLICY = Path(__file__).resolve().parents[2] / "policy.yaml"


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    loaded = load(POLICY.read_text(encoding="utf-8"))
    assert loaded.policy is not None, loaded.problems
    return make_plan(loaded.policy).deployment
