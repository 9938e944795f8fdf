"""The checks of the proofs can fail: a mark that is gone and a byte that changed are both seen."""

import json
import re
import shutil
from pathlib import Path

import pytest

from crouter.cli.application import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The library's own tree: policy, generated files, registry and tests."""
    for name in ("generated", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "cases"))
    (tmp_path / "crouter" / "proof").mkdir(parents=True)
    shutil.copy(ROOT / "crouter" / "proof" / "registry.json", tmp_path / "crouter" / "proof")
    shutil.copy(ROOT / "policy.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def unmark(tree: Path, claim: str) -> None:
    for path in (tree / "tests").rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        name = claim.replace("-", "_")
        changed = re.sub(rf'@pytest\.mark\.claim\("{claim}".*\)\n', "", text).replace(f"test_{name}__", "test_")
        path.write_text(changed, encoding="utf-8")


def test_the_tree_as_it_is_has_every_proof(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--today", "2026-12-01"])
    assert "PK-" not in capsys.readouterr().err


def test_a_mark_that_is_removed_is_refused_at_the_claim(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unmark(tree, "processor-supabase")
    assert main(["check", "--today", "2026-12-01"]) == 1
    told = capsys.readouterr()
    assert "PK-02 no test proves that row_level_security keeps what processor-supabase says" in told.err
    assert "changed  crouter/proof/registry.json" in told.out


def test_a_mark_for_no_sentence_is_refused_at_the_test(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = 'import pytest\n\n\n@pytest.mark.claim("no-such-claim")\ndef test_it() -> None: ...\n'
    (tree / "tests" / "unit" / "test_more.py").write_text(more, encoding="utf-8")
    assert main(["check", "--json", "--today", "2026-12-01"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(p["code"], p["file"], p["line"]) for p in problems] == [("PK-08", "tests/unit/test_more.py", 5)]
