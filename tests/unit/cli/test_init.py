"""`crouter init` writes a policy that passes `crouter check`, and never writes over one."""

from pathlib import Path

import pytest

from crouter.policy.load import load_file
from tests.unit.cli.conftest import Command

GIVEN = ("--name", "Acme", "--url", "https://acme.example", "--contact", "privacy@acme.example", "--yes")


@pytest.fixture
def empty(project: Path) -> Path:
    (project / "policy.yaml").unlink()
    return project


def test_the_policy_passes_check_as_it_is(empty: Path, command: Command) -> None:
    assert command("init", *GIVEN, "--processor", "stripe", "--processor", "openpanel").status == 0
    generated = command("generate")
    assert (generated.status, generated.err) == (0, "")
    checked = command("check")
    assert checked.status == 0, checked.out


def test_what_was_given_stands_in_the_policy(empty: Path, command: Command) -> None:
    hostile = 'A "name": {x} # \\'
    command("init", *GIVEN, "--controller", hostile, "--office", "1 Main Street", "--description", "a proxy")
    policy = load_file(empty / "policy.yaml").policy
    assert policy is not None
    assert (policy.controller.name, policy.controller.office) == (hostile, "1 Main Street")
    assert policy.service.description == "a proxy"


def test_a_file_that_exists_is_left_as_it_is(project: Path, command: Command) -> None:
    before = (project / "policy.yaml").read_bytes()
    outcome = command("init", *GIVEN)
    assert outcome.status == 1
    assert "exists and is left as it is" in outcome.err
    assert (project / "policy.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--yes",), "--name, --url, --contact"),
        ((*GIVEN, "--url", "http://acme.example"), "--url has to be an address that begins with https://"),
        ((*GIVEN, "--contact", "nobody"), "--contact has to be an e-mail address"),
        ((*GIVEN, "--processor", "acme"), "--processor knows these: stripe"),
    ],
)
def test_a_wrong_answer_writes_nothing_and_is_named(
    empty: Path, command: Command, options: tuple[str, ...], told: str
) -> None:
    outcome = command("init", *options)
    assert outcome.status == 1
    assert told in outcome.err
    assert not (empty / "policy.yaml").exists()


def test_questions_are_asked_where_a_person_is(empty: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["Acme", "https://acme.example", "privacy@acme.example", "Acme Ltd", "none"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(answers))
    assert command("init").status == 0
    policy = load_file(empty / "policy.yaml").policy
    assert policy is not None
    assert policy.controller.name == "Acme Ltd"
