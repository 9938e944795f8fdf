"""The generated service as a process on a port that stays the same, to be started, killed, stopped and measured."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from tests.torture.ground import ROOT

READY_SECONDS = 60.0
STOP_SECONDS = 60.0


class Service:
    """One service after another on one port. Its output is kept in files of `folder`, for a person to read."""

    def __init__(self, generated: Path, folder: Path, environ: dict[str, str]) -> None:
        self.port = _free_port()
        self._generated = generated
        self._folder = folder
        self._environ = {
            **environ,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(generated.parent), str(ROOT))),
            "CROUTER_LISTEN": f"127.0.0.1:{self.port}",
        }
        self._process: Process | None = None
        self._logging: asyncio.Task[None] | None = None
        self._runs = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts it and waits until it answers. Raises AssertionError with its words, TimeoutError."""
        assert not self.running, "it runs"
        self._runs += 1
        error = self._folder / f"service-{self._runs}.err"
        with error.open("wb") as err:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "generated.service",
                env=self._environ, cwd=self._generated.parent, stdin=DEVNULL, stdout=PIPE, stderr=err,
                preexec_fn=_many_files,
            )  # fmt: skip
        # Through us, so that a limit on what the service may write to files is not one on its log.
        self._logging = asyncio.create_task(_copy(self._process, self._folder / f"service-{self._runs}.out"))
        try:
            async with asyncio.timeout(READY_SECONDS):
                while b" answers on " not in error.read_bytes():
                    said = error.read_text(encoding="utf-8", errors="replace")
                    assert self.running, f"the service ended: {said}"
                    await asyncio.sleep(0.02)
        except BaseException:
            await self.kill()
            raise

    async def kill(self) -> None:
        """Ends it at once, if it runs."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()

    def forbid_files(self) -> None:
        """From now on no byte can be written to any file, as on a disk that is full or failing."""
        self._limit_files(0)

    def allow_files(self) -> None:
        """Files can be written again."""
        self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, size: int) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def terminate(self) -> None:
        """Tells it to stop."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    async def ended(self, seconds: float = STOP_SECONDS) -> int:
        """Waits for its end; gives the exit status. Raises TimeoutError."""
        assert self._process is not None
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    async def stop(self) -> None:
        """Stops it cleanly, if it runs. Raises AssertionError when it ends in another way."""
        if self.running:
            self.terminate()
            status = await self.ended()
            assert status == 0, f"the service stopped with status {status}"

    def resident_bytes(self) -> int:
        """The memory that it holds now."""
        return self._status("VmRSS")

    def resident_bytes_most(self) -> int:
        """The most memory that it held since `forget_most`."""
        return self._status("VmHWM")

    def forget_most(self) -> None:
        """From now on the most is measured anew."""
        assert self._process is not None
        Path(f"/proc/{self._process.pid}/clear_refs").write_text("5", encoding="ascii")

    def _status(self, name: str) -> int:
        assert self._process is not None
        for line in Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the kernel tells the memory of a process")


async def _copy(process: Process, path: Path) -> None:
    assert process.stdout is not None
    with path.open("wb") as out:
        while data := await process.stdout.read(65536):
            out.write(data)


def _many_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _free_port() -> int:
    # It has to stay the same when the service is started again, so the kernel's choice is taken once.
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
