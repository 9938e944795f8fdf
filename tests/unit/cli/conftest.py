"""A project in a folder of its own, and commands carried out in it without a process of their own."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from crouter.cli.application import main

POLICY = Path(__file__).parents[3] / "policy.yaml"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy and nothing generated; the current one."""
    shutil.copy(POLICY, tmp_path / "policy.yaml")
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def command(project: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Carries out a command line in the project."""

    def carry_out(*arguments: str) -> Outcome:
        status = main(arguments)
        written = capsys.readouterr()
        return Outcome(int(status), written.out, written.err)

    return carry_out


def edit(project: Path, old: str, new: str) -> None:
    """Replace a text of the policy that stands there."""
    policy = project / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    assert old in text
    policy.write_text(text.replace(old, new), encoding="utf-8")
