"""Projects in folders of their own, and `crouter` in processes of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
READY_SECONDS = 40.0
STOP_SECONDS = 30.0
CLEAN = ("PATH", "TMPDIR", "LANG", "LC_ALL", "VIRTUAL_ENV")


@dataclass
class Project:
    """A folder with a policy and its generated files."""

    folder: Path
    runs: list["Run"] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        """Nothing of the developer's own: no keys, no home, no addresses."""
        kept = {name: os.environ[name] for name in CLEAN if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), "HOME": str(self.folder), **more}

    def crouter(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Carry a command out to its end."""
        return subprocess.run(
            command(*arguments),
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=READY_SECONDS,
            check=False,
        )

    def start(self, *arguments: str, **more: str) -> "Run":
        """Begin a `crouter run` on a free port; it is killed at the end of the test if it is still there."""
        port = free_port()
        with (self.folder / f"output-{len(self.runs)}").open("w+b") as output:
            process = subprocess.Popen(
                command("run", "--port", str(port), *arguments),
                cwd=self.folder,
                env=self.environment(**more),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        run = Run(self, process, f"http://127.0.0.1:{port}", Path(output.name))
        self.runs.append(run)
        return run

    def facts(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / ".crouter" / "dev.json").read_bytes())
        return told

    def processes(self) -> set[int]:
        """Processes that work in this folder or were started with its name."""
        return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and self._owns(entry)}

    def until_nothing_runs(self, seconds: float = STOP_SECONDS) -> None:
        """Wait for the end of every process; fails if one stays."""
        deadline = time.monotonic() + seconds
        while left := self.processes():
            assert time.monotonic() < deadline, f"{len(left)} process(es) were left running"
            time.sleep(0.02)

    def _owns(self, entry: Path) -> bool:
        name = os.fsencode(self.folder)
        try:
            return (
                os.fsencode(entry.joinpath("cwd").readlink()).startswith(name)
                or name in (entry / "cmdline").read_bytes()
            )
        except OSError:
            return False


@dataclass
class Run:
    """One `crouter run`, in a process group of its own as in a terminal."""

    project: Project
    process: "subprocess.Popen[bytes]"
    url: str
    output_file: Path

    @property
    def output(self) -> str:
        return self.output_file.read_text(encoding="utf-8")

    def ready(self) -> "Run":
        """Wait until the service answers and has told its facts."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)
        return self

    def shows(self, text: str) -> "Run":
        """Wait until a text is on the screen."""
        deadline = time.monotonic() + READY_SECONDS
        while text not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)
        return self

    def send(self, number: signal.Signals) -> None:
        """To the whole group, as a terminal does."""
        os.killpg(self.process.pid, number)

    def stopped(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask for the end and wait for it; gives the exit status."""
        self.send(number)
        return self.process.wait(STOP_SECONDS)

    def pasteable(self, first: str) -> str:
        """The printed command that begins with these words."""
        lines = self.output.splitlines()
        start = next(number for number, line in enumerate(lines) if line.startswith(first))
        end = next(number for number in range(start, len(lines)) if not lines[number].endswith("\\"))
        return "\n".join(lines[start : end + 1])

    def _answers(self) -> bool:
        try:
            if self.project.facts()["pid"] != self.process.pid:
                return False
            # The last line of the screen: everything above it is printed.
            return "Ctrl-C stops everything" in self.output and self.get("/healthz") == b"alive\n"
        except (OSError, ValueError):
            return False

    def get(self, path: str) -> bytes:
        with urlopen(self.url + path, timeout=5) as answer:  # noqa: S310  our own address
            content: bytes = answer.read()
        return content


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "crouter.cli.main", *arguments]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy and what it generates, for copying."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copy(ROOT / "policy.yaml", folder)
    done = Project(folder).crouter("generate")
    assert done.returncode == 0, done.stderr
    return folder


def opened(folder: Path, template: Path) -> Iterator[Project]:
    """A copy of the template, and its end."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    project = Project(folder)
    yield project
    for run in project.runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
    project.until_nothing_runs()


@pytest.fixture
def project(generated: Path, tmp_path: Path) -> Iterator[Project]:
    """A project that was never run."""
    yield from opened(tmp_path / "project", generated)


@pytest.fixture(scope="module")
def used_project(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project that may have been run by an earlier test of the module."""
    yield from opened(tmp_path_factory.mktemp("used") / "project", generated)
