"""`crouter plan` shows what an edit changes, writes nothing, and ends with a status that a script can use."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.unit.cli.conftest import Command, edit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def generated(project: Path, command: Command) -> Path:
    assert command("generate").status == 0
    return project / "generated"


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_before_the_first_version_everything_is_new(command: Command) -> None:
    outcome = command("plan")
    assert outcome.status == 2
    assert "No version of the policy is in force yet" in outcome.out


def test_a_policy_in_force_is_0(generated: Path, command: Command) -> None:
    outcome = command("plan")
    assert (outcome.status, outcome.out) == (0, "policy.yaml beside version 1.0: no difference\n")


def test_comments_are_no_difference(generated: Path, project: Path, command: Command) -> None:
    edit(project, "language: 1\n", "# a word to the reader\nlanguage: 1\n")
    assert command("plan").status == 0


def lines(project: Path) -> list[str]:
    return (project / "policy.yaml").read_text(encoding="utf-8").splitlines(keepends=True)


def significant(project: Path) -> None:
    edit(project, "keep: P12M, from", "keep: P18M, from")
    edit(project, "  honours: [global_privacy_control, do_not_track]", "  honours: [global_privacy_control]")
    edit(project, next(line for line in lines(project) if line.startswith("      web_search_requests: ")), "")
    edit(project, "requests_per_minute: 50", "requests_per_minute: 40")


def harmless(project: Path) -> None:
    edit(project, "requests_per_minute: 50", "requests_per_minute: 40")
    edit(project, "contact: contact@crouter.dev", "contact: privacy@crouter.dev")


def another_recipient(project: Path) -> None:
    edit(project, "receives: [account.email, ledger.amount_nanousd,", "receives: [account, ledger.amount_nanousd,")
    edit(project, "keeps: {for: P30D", "keeps: {for: P60D")
    edit(project, 'version: "1.0"', 'version: "1.1"')
    edit(project, "effective: 2025-01-05", "effective: 2027-01-01")


@pytest.mark.parametrize("edits", [significant, harmless, another_recipient])
def test_a_plan_reads_well(
    generated: Path, project: Path, command: Command, snapshot: SnapshotAssertion, edits: object
) -> None:
    assert callable(edits)
    edits(project)
    before = files(project)
    outcome = command("plan")
    assert outcome.status == 2
    assert files(project) == before
    assert re.sub(r"policy\.yaml:\d+", "policy.yaml:LINE", outcome.out) == snapshot


def test_what_destroys_data_is_told_with_the_command_that_allows_it(
    generated: Path, project: Path, command: Command
) -> None:
    significant(project)
    assert "If that is meant: crouter generate --destroy usage.web_search_requests" in command("plan").out
    assert command("generate").status == 1
    assert command("generate", "--destroy", "usage.web_search_requests").status == 0
    assert command("plan").status == 0


def test_json_says_the_same(generated: Path, project: Path, command: Command) -> None:
    significant(project)
    outcome = command("plan", "--json")
    plan = json.loads(outcome.out)
    assert outcome.status == 2
    assert (plan["state"], plan["significant"], plan["destroys"]) == ("different", True, ["usage.web_search_requests"])
    lines = (project / "policy.yaml").read_text(encoding="utf-8").splitlines()
    (kept,) = [change for change in plan["changes"] if change["about"] == "retention.usage.keep"]
    assert (kept["weight"], kept["significant"]) == ("longer_retention", True)
    assert "P18M" in lines[kept["line"] - 1]


def test_a_plan_against_a_version_or_a_file(generated: Path, project: Path, command: Command) -> None:
    old = project / "old.yaml"
    old.write_bytes((project / "policy.yaml").read_bytes())
    another_recipient(project)
    assert command("generate").status == 0
    assert command("plan").status == 0
    for against in ("1.0", "old.yaml"):
        outcome = command("plan", "--against", against)
        assert outcome.status == 2
        assert "“Stripe” also receives name" in outcome.out
    assert command("plan", "--against", "1.1").status == 0
    assert command("plan", "--against", "9.9").status == 1


def test_a_policy_with_problems_is_1(generated: Path, project: Path, command: Command) -> None:
    edit(project, "keep: P12M", "keep: 12 months")
    outcome = command("plan")
    assert (outcome.status, outcome.out) == (1, "")
    assert "PM-06" in outcome.err
    assert json.loads(command("plan", "--json").out)["state"] == "problems"


def test_what_may_be_no_version_is_1_with_its_place(generated: Path, project: Path, command: Command) -> None:
    edit(project, 'version: "1.0"', 'version: "1.1"')
    outcome = command("plan")
    assert outcome.status == 1
    assert re.search(r"policy\.yaml:\d+:\d+: PV-02 ", outcome.out)
    refused = command("generate")
    assert refused.status == 1
    assert re.search(r"policy\.yaml:\d+:\d+: PV-02 ", refused.err)


def test_a_changed_history_is_1(generated: Path, command: Command) -> None:
    (generated / "policy" / "history" / "index.json").write_text("{}", encoding="utf-8")
    outcome = command("plan")
    assert outcome.status == 1
    assert "git checkout -- generated/policy/history/index.json" in outcome.err


def test_the_statuses_of_a_process(project: Path, command: Command) -> None:
    def status(*arguments: str) -> int:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        run = [sys.executable, "-m", "crouter.cli.main", "plan", *arguments]
        done = subprocess.run(run, cwd=project, env=environment, capture_output=True, check=False)
        assert b"\x1b[" not in done.stdout, "no colour where no person looks"
        return done.returncode

    command("generate")
    assert status() == 0
    harmless(project)
    assert status() == 2
    assert status("--detailed-exitcode") == 2
    assert status("--no-detailed-exitcode") == 0
    edit(project, "language: 1", "language: 2")
    assert status() == 1
