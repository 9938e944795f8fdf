"""The evidence that all tests of this folder look at, gathered once."""

import importlib
import random
import sys

import pytest

from crouter.contract.deployment import Deployment
from tests.privacy.controls import Control, gather_control
from tests.privacy.evidence import Evidence, gather


@pytest.fixture(scope="session")
def seed() -> int:
    """Of all canaries; printed, so that a failure can be looked at again."""
    chosen = random.SystemRandom().getrandbits(32)
    print(f"seed of the canaries: {chosen}")  # noqa: T201
    return chosen


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    if sys.platform != "linux":
        pytest.skip("SKIPPED: what a process leaves behind is watched with Linux' /proc")
    found = importlib.import_module("generated.service").DEPLOYMENT
    assert isinstance(found, Deployment)
    return found


@pytest.fixture(scope="session")
def evidence(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory, seed: int) -> Evidence:
    return gather(deployment, tmp_path_factory.mktemp("evidence"), seed)


@pytest.fixture(scope="session")
def control(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory, seed: int) -> Control:
    return gather_control(deployment, tmp_path_factory.mktemp("control"), seed + 1)
