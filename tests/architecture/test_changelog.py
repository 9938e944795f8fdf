"""Every fragment in changelog.d/ becomes a line of the next release."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.rules.source import ROOT

FRAGMENTS = ROOT / "changelog.d"
# An issue's number or `+` and a word, the kind of change, and a number where there are several.
NAME = re.compile(r"^(?:\d+|\+[a-z0-9-]+)\.(?P<kind>[a-z]+)(?:\.\d+)?\.md$")


def kinds() -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {kind["directory"] for kind in settings["tool"]["towncrier"]["type"]}


def problem(fragment: Path) -> str:
    """What is wrong with a fragment, or nothing."""
    match = NAME.match(fragment.name)
    if not match or match["kind"] not in kinds():
        return f"{fragment.name}: not <issue or +word>.<{'|'.join(sorted(kinds()))}>.md"
    text = fragment.read_text(encoding="utf-8").strip()
    if not text.endswith((".", "`")) or "\n\n" in text:
        return f"{fragment.name}: one paragraph of whole sentences, please"
    return ""


def fragments() -> list[Path]:
    return sorted(path for path in FRAGMENTS.iterdir() if path.name != "README.md")


def test_every_fragment_is_valid() -> None:
    assert [text for path in fragments() if (text := problem(path))] == []


def test_the_next_release_holds_every_fragment() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.0.0"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    release = " ".join(built.stdout.split())
    for path in fragments():
        assert " ".join(path.read_text(encoding="utf-8").split()) in release, path.name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("note.md", "Something."),
        ("2.feature.md", "Something."),
        ("2.added.md", ""),
        ("2.added.md", "no whole sentence"),
        ("2.added.md", "Two.\n\nParagraphs."),
    ],
)
def test_an_invalid_fragment_is_found(name: str, text: str, tmp_path: Path) -> None:
    fragment = tmp_path / name
    fragment.write_text(text, encoding="utf-8")
    assert problem(fragment)
