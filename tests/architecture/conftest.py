"""Fixtures for the rules: a copy of the tree in which a test may plant a violation."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.rules.source import ROOT

Plant = Callable[[str, str], Path]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Copies our packages, adds `text` to the module at `path`, and gives the copy's folder."""

    def planted(path: str, text: str) -> Path:
        for package in ("crouter", "generated"):
            if (ROOT / package).is_dir():
                unwanted = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / package, tmp_path / package, ignore=unwanted)
        shutil.copy(ROOT / ".importlinter", tmp_path)
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
        return tmp_path

    return planted
