"""Chooses the form of the data path that tests in this process run, and writes into a JUnit report on which policy and
code they ran, so that results count for that version only.

With CROUTER_TEST_COMPILED=1 it is what `crouter compile` has made of these sources; otherwise the sources. Services
that are processes of their own choose for themselves, as they do everywhere.
"""

import os
from pathlib import Path

import pytest
from _pytest.junitxml import xml_key

from crouter.plan.digest import policy_digest
from crouter.policy.load import load_file
from crouter.runtime.code_digest import code_digest
from crouter.runtime.compiled.use import fitting, is_compiled, use_compiled

ROOT = Path(__file__).parents[1]

# Now, because other conftest.py import the modules in question.
if os.environ.get("CROUTER_TEST_COMPILED") == "1":
    use_compiled(os.environ)


def pytest_report_header() -> str:
    if is_compiled():
        return "data path: compiled"
    return f"data path: {'the sources' if fitting() else 'the sources, NOTHING IS COMPILED of them (make compiled)'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has to put something in the place of a part of the data path can do so in its sources only."""
    if not is_compiled():
        return
    for item in items:
        mark = item.get_closest_marker("interpreted")
        if mark is not None:
            item.add_marker(pytest.mark.skip(reason=f"runs with the sources only: {mark.args[0]}"))


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
