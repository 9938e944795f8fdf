"""`crouter explain` leads from a code or a claim to what is behind it."""

import json
from pathlib import Path

from crouter.policy.codes import CODES
from tests.unit.cli.conftest import Command


def test_every_code_is_explained(command: Command) -> None:
    for code, said in CODES.items():
        assert said.explanation in command("explain", code).out


def test_a_code_needs_no_policy_and_no_capitals(project: Path, command: Command) -> None:
    (project / "policy.yaml").unlink()
    assert command("explain", "pr-52").status == 0


def test_a_claim_leads_to_its_lines_and_mechanisms(project: Path, command: Command) -> None:
    told = json.loads(command("explain", "use-email", "--json").out)
    lines = (project / "policy.yaml").read_text(encoding="utf-8").splitlines()
    claim_line = int(told["declared_at"].split(":")[1])
    about_line = int(told["about_at"].split(":")[1])
    assert lines[claim_line - 1].strip().startswith("use-email:")
    assert lines[about_line - 1].strip().startswith("email:")
    assert told["about"] == "data.account.fields.email"


def test_every_claim_of_the_policy_can_be_explained(command: Command) -> None:
    listed = [line.split()[0] for line in command("explain").out.splitlines()]
    assert len(listed) > 30
    for name in listed:
        outcome = command("explain", name)
        assert outcome.status == 0
        assert "policy.yaml:" in outcome.out
        assert "enforced by" in outcome.out


def test_an_unknown_name_is_answered_with_the_nearest(command: Command) -> None:
    outcome = command("explain", "use-emal")
    assert outcome.status == 1
    assert "did you mean use-email?" in outcome.err
