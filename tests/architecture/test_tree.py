"""The repository holds our own files only, and none that tells where it was written."""

import subprocess
from pathlib import Path

import pytest

from tests.architecture.rules import tree
from tests.architecture.rules.source import ROOT


def commit_nothing(folder: Path, files: dict[str, str]) -> list[Path]:
    """Makes `folder` a repository that holds these new files; gives what git would commit."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return tree.tracked_files(folder)


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = list(tree.addresses(ROOT, tree.tracked_files(ROOT)))
    assert not found, "\n".join(map(str, found))


def test_no_file_is_somebody_elses() -> None:
    found = list(tree.foreign_files(tree.tracked_files(ROOT)))
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(
    "text",
    [
        "https://" + "registry.npm" + "js.org/wrangler",
        "--index" + "-url https://" + "py" + "pi.org/simple",
        "cd {here}/docs && make",
        "/" + "home/ada/crouter",
        "/" + "root/.cache",
        "/" + "Users/ada/crouter",
    ],
)
def test_a_planted_address_is_found(text: str, tmp_path: Path) -> None:
    files = commit_nothing(tmp_path, {"docs/guide.md": f"first line\n{text.replace('{here}', str(tmp_path))}\n"})
    assert [(f.path, f.line) for f in tree.addresses(tmp_path, files)] == [("docs/guide.md", 2)]


def test_a_planted_foreign_file_is_found(tmp_path: Path) -> None:
    files = commit_nothing(tmp_path, {"web/vendor/chart.js": "", "web/chart.js": ""})
    assert [f.path for f in tree.foreign_files(files)] == ["web/vendor/chart.js"]


def test_ignored_files_are_not_judged(tmp_path: Path) -> None:
    ignored = {".gitignore": "node_modules/\n", "node_modules/a.js": "/" + "root/"}
    files = commit_nothing(tmp_path, ignored)
    assert files == [Path(".gitignore")]
