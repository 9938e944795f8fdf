"""A service process that can write into folders of its own only as far as it is told where to write, and every
file that appeared anywhere else meanwhile.
"""

import asyncio
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import crouter

REPOSITORY = Path(crouter.__file__).resolve().parents[1]
READY_SECONDS = 30.0
# Where programs leave files when nobody tells them where: temporary ones, shared memory, dumps, logs.
_ELSEWHERE = ("/tmp", "/var/tmp", "/dev/shm", "/var/crash", "/var/lib/systemd/coredump", "/var/log", "/root", "/")  # noqa: S108
_FILE_BYTES_MAX = 256 * 1024 * 1024


class Sandbox:
    """The working folder, the home and the temporary folder of processes under test, and their output."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work, self.home, self.tmp, self.log = (root / name for name in ("work", "home", "tmp", "log"))
        for folder in (self.work, self.home, self.tmp, self.log):
            folder.mkdir(parents=True)
        self._began = time.time()
        self._before = frozenset(_entries())

    def environment(self) -> dict[str, str]:
        """What makes a process use these folders."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.home),
            **dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(self.tmp)),
            **dict.fromkeys(("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"), str(self.home)),
        }

    def written(self) -> Iterator[Path]:
        """The processes' files, and what came or changed at the usual places since this sandbox was made."""
        for folder in (self.work, self.home, self.tmp):
            yield from _files(folder)
        for entry in _entries():
            if entry not in self._before:
                yield from _files(entry)
            elif _is_plain(entry) and entry.stat().st_mtime >= self._began - 1:
                yield entry

    def output(self) -> Iterator[Path]:
        """What the processes wrote to their standard output and error."""
        yield from _files(self.log)


class ServiceProcess:
    """One run of a service in a sandbox; `name` names its output files."""

    def __init__(self, sandbox: Sandbox, name: str, process: asyncio.subprocess.Process) -> None:
        self._sandbox = sandbox
        self._name = name
        self._process = process
        self.url = ""

    @classmethod
    async def start(cls, sandbox: Sandbox, name: str, environ: Mapping[str, str], *command: str) -> "ServiceProcess":
        """Runs `python COMMAND` and waits until it says where it answers. Raises AssertionError with its words."""
        with (sandbox.log / f"{name}.out").open("wb") as out, (sandbox.log / f"{name}.err").open("wb") as err:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *command),
                cwd=sandbox.work,
                env=sandbox.environment() | dict(environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                preexec_fn=allow_core_dumps,
            )
        service = cls(sandbox, name, process)
        try:
            await service._ready()
        except BaseException:
            await service.kill()
            raise
        return service

    @property
    def pid(self) -> int:
        return self._process.pid

    async def end(self, number: signal.Signals, seconds: float = 40.0) -> int:
        """Sends a signal and waits for the end; gives the exit status. Raises TimeoutError."""
        self._process.send_signal(number)
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def kill(self) -> None:
        """Ends it, if it runs."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _ready(self) -> None:
        error = self._sandbox.log / f"{self._name}.err"
        async with asyncio.timeout(READY_SECONDS):
            while not self.url:
                said = error.read_text(encoding="utf-8", errors="replace")
                assert self._process.returncode is None, f"the service ended: {said}"
                _, found, rest = said.partition(" answers on ")
                self.url = rest.partition("\n")[0] if found and "\n" in rest else ""
                await asyncio.sleep(0.02)


def allow_core_dumps() -> None:
    """Lets the system write whatever the program itself does not prevent; for a child before it becomes one."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def _entries() -> Iterator[Path]:
    for name in dict.fromkeys((*_ELSEWHERE, tempfile.gettempdir(), str(REPOSITORY))):
        folder = Path(name)
        if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
            yield from folder.iterdir()


def _files(start: Path) -> Iterator[Path]:
    if _is_plain(start):
        yield start
    elif start.is_dir() and not start.is_symlink():
        for folder, _, names in os.walk(start):  # which passes over what is gone meanwhile
            yield from (path for path in (Path(folder, name) for name in names) if _is_plain(path))


def _is_plain(path: Path) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and path.stat().st_size <= _FILE_BYTES_MAX
    except OSError:
        # Somebody else's file, gone meanwhile.
        return False
