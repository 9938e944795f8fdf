"""`crouter compile` says what it did, or why it could not; `--check` what the service will run."""

import json
from pathlib import Path

import pytest

from crouter.cli import compile as compiling
from crouter.runtime.compiled.build import CannotCompileError, Compilation, CompilationError
from tests.unit.cli.conftest import Command


def build(monkeypatch: pytest.MonkeyPatch, result: Compilation | Exception) -> None:
    """Puts a result in the place of half a minute of work."""

    def built() -> Compilation:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(compiling, "build", built)


@pytest.mark.parametrize(("is_new", "said"), [(True, "compiled in 0 s"), (False, "compiled already")])
def test_it_says_whether_it_had_to(
    is_new: bool, said: str, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    build(monkeypatch, Compilation(tmp_path, is_new=is_new))
    assert command("compile").out.startswith(said)
    outcome = command("compile", "--json")
    assert (outcome.status, json.loads(outcome.out)) == (0, {"state": "compiled", "new": is_new})


def test_what_is_missing_is_a_refusal_and_where_it_may_be_missing_a_sentence(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(monkeypatch, CannotCompileError("there is no C compiler (cc; Debian: gcc)"))
    outcome = command("compile")
    assert outcome.status == 1
    assert "nothing was compiled: there is no C compiler (cc; Debian: gcc)" in outcome.err
    outcome = command("compile", "--if-possible")
    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err == ("Nothing was compiled, and the sources are run: there is no C compiler (cc; Debian: gcc)\n")
    outcome = command("compile", "--if-possible", "--json")
    assert (outcome.status, json.loads(outcome.out)["state"]) == (0, "impossible")


@pytest.mark.parametrize("option", [(), ("--if-possible",)])
def test_what_the_compiler_refuses_is_told_and_never_passed_over(
    option: tuple[str, ...], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(monkeypatch, CompilationError("crouter/runtime/usage.py:7: error: [planted]"))
    outcome = command("compile", *option)
    assert outcome.status == 1
    assert "crouter/runtime/usage.py:7: error: [planted]" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("fits", "forbidden", "state", "status"),
    [
        (True, False, "compiled", 0),
        (False, False, "interpreted", 2),
        (True, True, "forbidden", 2),
        (False, True, "forbidden", 2),
    ],
)
def test_check_says_what_the_service_will_run(
    fits: bool, forbidden: bool, state: str, status: int, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "fitting", lambda: Path("there") if fits else None)
    monkeypatch.setenv("CROUTER_INTERPRETED", "1" if forbidden else "")
    outcome = command("compile", "--check")
    assert outcome.status == status
    assert outcome.out.count("the service") == 1
    outcome = command("compile", "--check", "--json")
    assert (outcome.status, json.loads(outcome.out)) == (status, {"state": state})
