"""`crouter import` writes a draft that passes `crouter check`, and reports what it did not understand."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command

PROSE = "We never sell your data. Stripe handles payments.\n\nWe love \x1b[2J privacy.\n"


@pytest.fixture
def prose(project: Path) -> Path:
    (project / "policy.yaml").unlink()
    path = project / "privacy.md"
    path.write_text(PROSE, encoding="utf-8")
    return path


def test_the_first_run_is_a_gap_report(prose: Path, command: Command) -> None:
    outcome = command("import", "privacy.md")
    assert outcome.status == 0
    assert outcome.out.startswith("privacy.md: 3 sentences, 2 bound, 1 unbound\n")
    assert "privacy.md:3: We love [2J privacy.\n      not understood: nothing in it is known" in outcome.out
    assert "assumed: " in outcome.out


def test_the_draft_passes_check(prose: Path, command: Command) -> None:
    command("import", "privacy.md", "--name", "Acme", "--url", "https://acme.example")
    assert command("generate").status == 0
    assert command("check").status == 0


def test_a_dry_run_reports_and_writes_nothing(prose: Path, project: Path, command: Command) -> None:
    report = json.loads(command("import", "privacy.md", "--dry-run", "--report", "json").out)
    assert (report["bound"], report["unbound"], report["policy"]) == (2, 1, None)
    assert not (project / "policy.yaml").exists()


def test_nothing_is_written_over(prose: Path, project: Path, command: Command) -> None:
    (project / "policy.yaml").write_text("mine\n", encoding="utf-8")
    assert command("import", "privacy.md").status == 1
    assert (project / "policy.yaml").read_text(encoding="utf-8") == "mine\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"x " * 200_000, "larger than 256 KiB"),
        (b"# only a heading\n", "holds no sentence"),
    ],
)
def test_a_file_that_is_no_policy_is_refused(
    prose: Path, project: Path, command: Command, content: bytes | None, told: str
) -> None:
    prose.unlink()
    if content is not None:
        prose.write_bytes(content)
    outcome = command("import", "privacy.md")
    assert outcome.status == 1
    assert told in outcome.err
    assert not (project / "policy.yaml").exists()


def test_a_manifest_made_to_harm_is_refused_with_a_place(project: Path, command: Command) -> None:
    (project / "fides.yaml").write_text("system: &a\n  - *a\n", encoding="utf-8")
    outcome = command("import", "fides.yaml")
    assert outcome.status == 1
    assert outcome.err.startswith("fides.yaml:1:9: PY-11")
