"""Processes on a core of their own: started, told by the port they print, watched through /proc, ended."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.errors import BenchError

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 30.0
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Cores:
    """The proxy alone on one, everything else on the other."""

    proxy: int
    load: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """Raises BenchError on a machine with one core."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise BenchError("the proxy needs a core of its own, and this machine has one core")
        return cls(proxy=cores[-1], load=cores[0])


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Runs the block, and the processes that it starts for as long as they live, on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def program(
    *command: str, environ: Mapping[str, str] | None = None, folder: Path = ROOT, log: Path | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A process until the block ends. What it writes on stdout goes to `log`, or is read by the caller."""
    with (log or Path(os.devnull)).open("w", encoding="utf-8") as out:
        process = subprocess.Popen(  # noqa: S603  our own interpreter, or nginx where it is installed
            command,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), **(environ or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out if log else subprocess.PIPE,
            stderr=subprocess.PIPE if log else None,
            text=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def module(name: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """A module of ours that prints its port: gives process id and port."""
    with program(sys.executable, "-m", name, *arguments) as process:
        line = first_line(process.stdout)
        if not line.strip().isdigit():
            raise BenchError(f"{name} did not start")
        yield process.pid, int(line)


def first_line(output: IO[str] | None) -> str:
    """The first line that a program writes; empty if it ends without one."""
    return output.readline() if output is not None else ""


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used so far, in steps of the kernel's clock tick."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def core_seconds(core: int) -> float:
    """What all processes together have used of a core so far; interrupts and idle time are not in it."""
    for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system = map(int, ticks[:3])
            return (user + nice + system) / os.sysconf("SC_CLK_TCK")
    raise BenchError(f"the kernel does not account for core {core}")


def resident_mib(pid: int) -> float:
    """The memory that a process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def wait_until_listening(port: int, process: "subprocess.Popen[str]") -> None:
    """Waits for a program that does not say when it is ready. Raises BenchError."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise BenchError(f"{process.args!r} did not start to listen")
