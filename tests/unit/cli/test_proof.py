"""`crouter proof` records what counts for this version, and says what does not."""

import json
from pathlib import Path

import pytest

from crouter.plan.digest import policy_digest
from crouter.policy.load import load_file
from crouter.policy.rules.claims import placed_claims
from crouter.proof.registry import shipped
from crouter.runtime.code_digest import code_digest
from tests.unit.cli.conftest import Command


@pytest.fixture
def generated(project: Path, command: Command) -> Path:
    assert command("generate").status == 0
    return project / "generated"


def write_report(project: Path, generated: Path, *, code: str = "", failing: str = "", leave_out: str = "") -> Path:
    policy = load_file(project / "policy.yaml").policy
    assert policy is not None
    said = {"policy_digest": policy_digest(policy), "code_digest": code or code_digest(generated)}
    said |= {f"{name}_after": value for name, value in said.items()}
    properties = "".join(f'<property name="{name}" value="{value}"/>' for name, value in said.items())
    cases = ""
    for test in {test.id: test for test in shipped().tests if test.id != leave_out}.values():
        outcome = "<failure/>" if test.id == failing else ""
        module = test.file.removesuffix(".py").replace("/", ".")
        cases += f'<testcase classname="{module}" name="{test.name}[x]">{outcome}</testcase>'
    path = project / ".crouter" / "junit-values.xml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'<testsuites><testsuite timestamp="2026-11-23T10:00:00"><properties>{properties}</properties>{cases}'
        "</testsuite></testsuites>",
        encoding="utf-8",
    )
    return path


def test_a_run_of_this_version_in_which_all_passed_proves_every_claim(
    project: Path, generated: Path, command: Command
) -> None:
    write_report(project, generated)
    outcome = command("proof")
    assert outcome.status == 0
    policy = load_file(project / "policy.yaml").policy
    assert policy is not None
    claims = list(placed_claims(policy))
    assert len(claims) >= 32
    assert outcome.out.startswith(f"{len(claims)} claims proven")
    recorded = json.loads((project / ".crouter" / "proof.json").read_text(encoding="utf-8"))
    assert recorded["code_digest"] == code_digest(generated)
    assert {test["outcome"] for test in recorded["tests"].values()} == {"passed"}


@pytest.mark.parametrize("how", ["failing", "leave_out"])
def test_a_claim_whose_test_failed_or_did_not_run_is_named(
    project: Path, generated: Path, command: Command, how: str
) -> None:
    test = next(test for test in shipped().tests if test.claim == "retain-usage")
    write_report(project, generated, **{how: test.id})
    outcome = command("proof")
    assert outcome.status == 2
    assert f"retain-usage: {'failed' if how == 'failing' else 'not run'}  {test.id}" in outcome.out


def test_a_run_of_other_code_is_not_recorded(project: Path, generated: Path, command: Command) -> None:
    write_report(project, generated, code="0" * 64)
    outcome = command("proof")
    assert outcome.status == 1
    assert "no report is of this version" in outcome.err
    assert not (project / ".crouter" / "proof.json").exists()


def test_one_altered_byte_under_generated_makes_it_other_code(project: Path, generated: Path, command: Command) -> None:
    write_report(project, generated)
    with (generated / "service" / "logs.py").open("a", encoding="utf-8") as file:
        file.write("#")
    assert command("proof").status == 1


@pytest.mark.parametrize("text", ["", "<testsuites><testsuite/></testsuites>", "\0"])
def test_a_report_that_is_none_is_a_sentence(project: Path, generated: Path, command: Command, text: str) -> None:
    path = write_report(project, generated)
    path.write_text(text, encoding="utf-8")
    outcome = command("proof", "--junit", str(path))
    assert outcome.status == 1
    assert str(path) in outcome.err


def test_without_a_report_it_says_how_to_get_one(generated: Path, command: Command) -> None:
    outcome = command("proof")
    assert (outcome.status, "make test" in outcome.err) == (1, True)
