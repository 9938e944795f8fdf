"""Processes on a core of their own: started, told by the port they print, watched through /proc, ended."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bench.errors import BenchError

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".crouter" / "bench"
"""What the bench compiles and installs; git ignores it."""
READY_SECONDS = 90.0
STOP_SECONDS = 20.0
QUIET_SHARE = 0.05


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
    *command: str,
    environ: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    log: Path | None = None,
    logs_errors: bool = False,
) -> Iterator["subprocess.Popen[str]"]:
    """A process until the block ends. What it writes on stdout goes to `log`, or is read by the caller, who then reads
    stderr where there is a log, unless that `logs_errors` as well."""
    with (log or Path(os.devnull)).open("w", encoding="utf-8") as out:
        process = subprocess.Popen(  # noqa: S603  our own interpreter, or a peer's program
            command,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), **(environ or {})},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out if log else subprocess.PIPE,
            stderr=subprocess.STDOUT if logs_errors else subprocess.PIPE if log else None,
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


def tree(pid: int) -> tuple[int, ...]:
    """The process and everything it started that still runs."""
    found = [pid]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, children.read_text(encoding="ascii").split())
    return tuple(found)


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used so far, all threads, by the scheduler's own account."""
    used = 0
    for process in tree(pid):
        for account in Path(f"/proc/{process}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):  # a thread that ends between the two looks
                used += int(account.read_text(encoding="ascii").split()[0])
    return used / 1e9


def core_seconds(core: int) -> float:
    """What all processes together have used of a core so far; interrupts and idle time are not in it."""
    for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system = map(int, ticks[:3])
            return (user + nice + system) / os.sysconf("SC_CLK_TCK")
    raise BenchError(f"the kernel does not account for core {core}")


def resident_mib(pid: int) -> float:
    """The memory that a process and its children hold now."""
    pages = 0
    for process in tree(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def open_files(pid: int) -> int:
    """How many files and sockets a process and its children hold open."""
    return sum(len(list(Path(f"/proc/{process}/fd").iterdir())) for process in tree(pid))


def wait_until_quiet(pid: int, seconds: float) -> None:
    """Waits until a process has worked off what it was left with, for at most so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(0.1)
        if (cpu_seconds(pid) - before) / (time.monotonic() - began) < QUIET_SHARE:
            return


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Holds processes with their children still during the block: what waits for its turn takes no time."""
    held = [process for pid in pids for process in tree(pid)]
    for process in held:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in held:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def free_port() -> int:
    """For programs that cannot be asked for any free port: one that was free a moment ago."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until_listening(port: int, process: "subprocess.Popen[str]") -> None:
    """Waits for a program that does not say when it is ready. Raises BenchError."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise BenchError(f"{process.args!r} did not start to listen")
