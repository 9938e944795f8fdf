"""Writes into a JUnit report on which policy and code the tests ran, so that results count for that version only."""

from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

from crouter.plan.digest import policy_digest
from crouter.policy.load import load_file
from crouter.runtime.code_digest import code_digest

ROOT = Path(__file__).parents[1]


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    _tell(session.config, "")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    # Once more: what changed while the tests ran was tested by none of them for certain.
    _tell(session.config, "_after")


def _tell(config: pytest.Config, when: str) -> None:
    report = config.stash.get(xml_key, None)
    if report is None:
        return
    policy = load_file(ROOT / "policy.yaml").policy
    report.add_global_property(f"policy_digest{when}", policy_digest(policy) if policy else "")
    report.add_global_property(f"code_digest{when}", code_digest(ROOT / "generated"))
