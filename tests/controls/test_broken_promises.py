"""A promise that the library breaks is noticed by the very tests that are marked as its proof.

Each mutation is made in a copy. `make proof-controls` makes those that take longer too.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crouter.proof.registry import shipped
from tests.controls.mutations import FURTHER, QUICK, Mutation

ROOT = Path(__file__).parents[2]
MUTATIONS = {**QUICK, **(FURTHER if os.environ.get("CROUTER_ALL_CONTROLS") else {})}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the tests need."""
    folder = tmp_path_factory.mktemp("broken")
    for name in ("crouter", "generated", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("policy.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def outcome(folder: Path, tests: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def proving(mutation: Mutation) -> list[str]:
    """The marked tests of values and rules: those of a whole service prove the same and take longer."""
    return [
        test.id
        for test in shipped().tests
        if test.claim == mutation.claim and mutation.mechanism in test.by and test.file.startswith("tests/unit/")
    ]


def test_nothing_fails_in_a_copy_where_nothing_is_broken(copy: Path) -> None:
    tests = sorted({test for mutation in MUTATIONS.values() for test in proving(mutation)})
    done = outcome(copy, tests)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_promise_is_noticed_by_its_own_tests(copy: Path, name: str) -> None:
    mutation = MUTATIONS[name]
    file = copy / "crouter" / mutation.file
    text = file.read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1, f"{mutation.file} has changed: break it in another way"
    file.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        done = outcome(copy, proving(mutation))
    finally:
        file.write_text(text, encoding="utf-8")
    assert done.returncode == 1, f"{name}: {mutation.claim} has no test that notices\n{done.stdout}"
    assert " failed" in done.stdout
