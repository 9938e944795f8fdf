"""Every command line ends with a status and, where something is wrong, with a sentence and no traceback."""

import pytest

from tests.unit.cli.conftest import Command

EVERY = (
    "generate",
    "check",
    "render",
    "explain",
    "run",
    "serve",
    "compile",
    "migrate",
    "retention",
    "keys",
    "accounts",
)


def test_help_names_every_command_and_the_statuses(command: Command) -> None:
    outcome = command("--help")
    assert outcome.status == 0
    assert all(f" {name} " in outcome.out for name in EVERY)
    assert "Exit status" in outcome.out


@pytest.mark.parametrize("name", EVERY)
def test_every_command_has_help(name: str, command: Command) -> None:
    outcome = command(name, "--help")
    assert outcome.status == 0
    assert f"Usage: crouter {name}" in outcome.out


@pytest.mark.parametrize(
    "arguments", [(), ("chek",), ("check", "--typo"), ("keys",), ("keys", "create"), ("render", "--section", "x")]
)
def test_a_wrong_command_line_is_not_taken_for_a_difference(arguments: tuple[str, ...], command: Command) -> None:
    outcome = command(*arguments)
    assert outcome.status == 64
    assert "Traceback" not in outcome.err


def test_a_mistyped_command_is_answered_with_the_right_one(command: Command) -> None:
    assert "'generate'" in command("generat").err


def test_a_mistake_of_ours_is_told_without_its_message(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise RuntimeError("sk-cr-secret")

    monkeypatch.setattr("importlib.import_module", broken)
    outcome = command("check")
    assert outcome.status == 70
    assert "RuntimeError" in outcome.err
    assert "sk-cr-secret" not in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("retention", "run"),
        ("migrate",),
        ("keys", "list", "a@b.example", "--purpose", "a test"),
        ("accounts", "credit", "a@b.c", "1", "--purpose", "a test"),
    ],
)
def test_what_needs_generated_code_says_so(arguments: tuple[str, ...], command: Command) -> None:
    outcome = command(*arguments)
    assert outcome.status == 1
    assert "crouter generate" in outcome.err or "DATABASE_URL" in outcome.err
