"""Each case renders to exactly the files in its `expected/` folder: service, database and retention.

The documents have snapshots of their own. To accept a change, read its diff after
`CROUTER_ACCEPT=1 pytest tests/cases/generate`.
"""

import os
import shutil
from pathlib import Path

import pytest

from crouter.generate.history import History, read_history
from crouter.generate.render import render_all
from crouter.generate.tree import read_tree
from tests.cases.generate.cases import FOLDER, edits_of, whole_policy

FAMILIES = ("__init__.py", "service", "database", "retention")


def rendered(case: Path) -> dict[str, str]:
    """What the case renders to. Edits are made after the unedited policy was generated."""
    if (case / "edits.yaml").exists():
        policy, history = whole_policy(edits_of(case)), read_history(FOLDER / "whole" / "expected")
    else:
        policy, history = whole_policy(), History.empty()
    files = render_all(policy, history)
    return {path: text for path, text in files.items() if path.partition("/")[0] in FAMILIES}


@pytest.mark.parametrize("name", ["whole", "edited"])
def test_the_case_renders_to_its_expected_files(name: str) -> None:
    case = FOLDER / name
    files = rendered(case)
    if os.environ.get("CROUTER_ACCEPT"):
        write(case / "expected", files)
    present = read_tree(case / "expected")
    assert sorted(present) == sorted(files)
    for path, text in files.items():
        content = present[path]
        assert content is not None
        assert content.decode() == text, f"{path} is not what is expected"


def write(folder: Path, files: dict[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="")
