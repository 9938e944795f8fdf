"""`crouter check` finds every difference and says what mends it."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command, edit


@pytest.fixture
def generated(project: Path, command: Command) -> Path:
    assert command("generate").status == 0
    return project / "generated"


def test_a_project_in_step_is_0(generated: Path, command: Command) -> None:
    assert command("check").status == 0


def test_a_project_that_was_never_generated_is_2(command: Command) -> None:
    outcome = command("check")
    assert outcome.status == 2
    assert "missing  generated/MANIFEST.json" in outcome.out


def test_missing_stale_and_changed_files_are_listed_with_a_diff_and_the_command(
    generated: Path, command: Command
) -> None:
    (generated / "service" / "records" / "usage.py").unlink()
    (generated / "extra.py").write_text("PRINT = 1\n", encoding="utf-8")
    proxy = generated / "service" / "proxy.py"
    proxy.write_text(proxy.read_text(encoding="utf-8").replace("50", "60", 1), encoding="utf-8")
    outcome = command("check")
    assert outcome.status == 2
    assert outcome.out.startswith("3 differences: 1 missing, 1 stale, 1 changed\n")
    assert "missing  generated/service/records/usage.py" in outcome.out
    assert "-PRINT = 1" in outcome.out
    assert outcome.out.endswith("To mend it: crouter generate\n")


def test_a_diff_is_bounded(generated: Path, command: Command) -> None:
    (generated / "extra.py").write_text("".join(f"A{n} = {n}\n" for n in range(5000)), encoding="utf-8")
    assert len(command("check").out.splitlines()) < 100


def test_a_file_name_cannot_steer_the_terminal(generated: Path, command: Command) -> None:
    (generated / "\x1b[2J.py").touch()
    outcome = command("check")
    assert outcome.status == 2
    assert "\x1b" not in outcome.out


def test_an_edited_policy_is_2_until_it_is_generated(generated: Path, project: Path, command: Command) -> None:
    edit(project, "requests_per_minute: 50", "requests_per_minute: 40")
    assert command("check").status == 2
    assert command("generate").status == 0
    assert command("check").status == 0


def test_a_comment_in_the_policy_is_no_difference(generated: Path, project: Path, command: Command) -> None:
    edit(project, "language: 1\n", "# a comment\nlanguage: 1\n")
    assert command("check").status == 0


def test_problems_are_1(project: Path, command: Command) -> None:
    edit(project, "language: 1\n", "language: 2\n")
    outcome = command("check")
    assert outcome.status == 1
    assert outcome.err.startswith("policy.yaml:")


@pytest.mark.parametrize(
    ("fault", "status", "state"), [("none", 0, "in_step"), ("drift", 2, "different"), ("policy", 1, "problems")]
)
def test_json_tells_the_state(
    generated: Path, project: Path, command: Command, fault: str, status: int, state: str
) -> None:
    if fault == "drift":
        (generated / "MANIFEST.json").unlink()
    if fault == "policy":
        edit(project, "language: 1\n", "language: 2\n")
    outcome = command("check", "--json")
    assert (outcome.status, json.loads(outcome.out)["state"]) == (status, state)
