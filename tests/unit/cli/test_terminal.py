"""Nothing that is printed can steer the terminal, and programs get unwrapped text."""

import json

import pytest

from crouter.cli.outcome import FailureError
from crouter.cli.terminal import Terminal, counted, visible


def test_escapes_are_shown_and_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().line("generated/\x1b[2Jname\r[bold]\u202e")
    assert capsys.readouterr().out == "generated/\\x1b[2Jname\\r[bold]\\u202e\n"


def test_visible_leaves_plain_text_and_line_ends_alone() -> None:
    assert visible("Łódź “quoted”\nnext") == "Łódź “quoted”\nnext"


def test_a_long_line_is_not_wrapped_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().line("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_a_failure_goes_to_standard_error_with_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().failure(FailureError("this is wrong", "do that"))
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "this is wrong\n  hint: do that\n")


def test_json_is_all_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().json({"name": "\x1b"})
    assert json.loads(capsys.readouterr().out) == {"name": "\x1b"}


def test_no_bar_is_drawn_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    with terminal.progress() as progress, terminal.working("Working"):
        progress.update(progress.add_task("Migrating", total=2), completed=2)
    written = capsys.readouterr()
    assert written.out.strip() == written.err.strip() == ""


def test_counted_knows_one() -> None:
    assert (counted(1, "file"), counted(0, "file"), counted(1200, "file")) == ("1 file", "0 files", "1,200 files")
