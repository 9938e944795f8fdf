"""`crouter render` prints what is published, from the policy as it is now."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command, edit
from tests.unit.plan.translated import translated


@pytest.mark.parametrize(("name", "ending"), [("text", "txt"), ("md", "md"), ("html", "html"), ("json", "json")])
def test_a_format_is_the_generated_file_to_the_byte(project: Path, command: Command, name: str, ending: str) -> None:
    command("generate")
    rendered = command("render", "--format", name)
    assert rendered.status == 0
    assert rendered.out == (project / "generated" / "policy" / f"privacy-policy.{ending}").read_text(encoding="utf-8")


def test_it_needs_no_generated_files_and_writes_none(project: Path, command: Command) -> None:
    edit(project, "contact@crouter.dev", "privacy@crouter.dev")
    assert "privacy@crouter.dev" in command("render").out
    assert [path.name for path in project.iterdir()] == ["policy.yaml"]


def test_one_section_keeps_its_number(command: Command) -> None:
    out = command("render", "--section", "6").out
    assert "6. Data Retention" in out
    assert "What We Collect" not in out
    assert "retain-usage" in out


def test_one_section_in_json_holds_that_section_only(command: Command) -> None:
    told = json.loads(command("render", "--section", "6", "--format", "json").out)
    assert [section["title"] for section in told["sections"]] == ["Data Retention"]


def test_a_section_that_does_not_exist_is_refused(command: Command) -> None:
    outcome = command("render", "--section", "11")
    assert outcome.status == 1
    assert "sections 1 to 10" in outcome.err


def test_a_terminal_gets_wrapped_text_with_every_claim(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    out = command("render", "--section", "2").out
    assert "\x1b[" in out
    assert "exclude-location" in out


def _translate(project: Path) -> None:
    policy = project / "policy.yaml"
    policy.write_text(translated(policy.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(("name", "ending"), [("text", "txt"), ("md", "md"), ("html", "html"), ("json", "json")])
def test_another_language_is_its_generated_file_to_the_byte(
    project: Path, command: Command, name: str, ending: str
) -> None:
    _translate(project)
    command("generate")
    rendered = command("render", "--locale", "de", "--format", name)
    assert rendered.out == (project / "generated" / "policy" / f"privacy-policy.de.{ending}").read_text("utf-8")


def test_one_section_of_another_language_holds_no_other(project: Path, command: Command) -> None:
    _translate(project)
    told = json.loads(command("render", "--locale", "de", "--section", "6", "--format", "json").out)
    assert [section["title"] for section in told["sections"]] == ["Data Retention (deutsch)"]


def test_a_language_that_is_not_published_is_refused(command: Command) -> None:
    outcome = command("render", "--locale", "de")
    assert outcome.status == 1
    assert "published in en, and not in de" in outcome.err
