"""The data folder, the files beside it, and what state they are in. Starts no server.

Beside a data folder `postgres` lie `postgres.lock` (held while a server runs), `postgres.log` (the
log of the last start) and, while a cluster is being made, `postgres.new`.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crouter.embedded.binaries import PostgresBinaries
from crouter.embedded.errors import ClusterError, ClusterInUseError, OtherMajorVersionError
from crouter.embedded.identity import Identity, child_environment

SUPERUSER = "postgres"

_BUILTIN_LOCALE_SINCE = 17
_INITDB_SECONDS = 120
_LOG_TAIL_BYTES = 4096
# No process has this id (Linux ends at 2^22, others earlier), and PostgreSQL reads it as an int.
_NO_PROCESS = 2**31 - 1
_PID_FILE_STATUS_LINE = 7


@dataclass(frozen=True)
class DataFolder:
    """A folder, given by its absolute path, that holds a cluster or will."""

    path: Path

    @property
    def log(self) -> Path:
        return self._beside(".log")

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def is_empty(self) -> bool:
        return not self.path.exists() or not any(self.path.iterdir())

    def require_major(self, binaries: PostgresBinaries) -> None:
        """Raise unless the folder is empty or made by the major version of `binaries`."""
        if self.is_empty():
            return
        try:
            made_by = (self.path / "PG_VERSION").read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            raise ClusterError(
                f"{self.path} is not empty and not a PostgreSQL data folder. Nothing was changed. "
                f"Choose another folder, or move its files away."
            ) from None
        if made_by != str(binaries.major):
            raise OtherMajorVersionError(self.path, made_by, str(binaries.major), binaries.bin_dir)

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder for this process; ClusterInUseError if another one holds it.

        Yields the lock file's descriptor. The kernel lets go of the lock when the process dies.
        """
        lock = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ClusterInUseError(
                    f"another process runs a server on {self.path}: use that one, stop it, or choose another folder"
                ) from None
            yield lock
        finally:
            os.close(lock)

    def create(self, binaries: PostgresBinaries, identity: Identity, *, durable: bool) -> None:
        """Make a new cluster. It appears complete or not at all, whenever this is interrupted."""
        unfinished = self._beside(".new")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, identity.uid, identity.gid)
        self._initdb(unfinished, binaries, identity, durable=durable)
        unfinished.rename(self.path)
        if durable:
            _sync(self.path.parent)

    def _initdb(self, target: Path, binaries: PostgresBinaries, identity: Identity, *, durable: bool) -> None:
        program = [
            *(str(binaries.path("initdb")), f"--pgdata={target}", f"--username={SUPERUSER}"),
            *("--encoding=UTF8", *_locale_options(binaries.major), "--data-checksums"),
            # Who may open the socket is decided by the folder it lies in.
            *("--auth-local=trust", "--auth-host=reject"),
            *(() if durable else ("--no-sync",)),
        ]
        made = subprocess.run(  # noqa: S603 - our own command line
            identity.command(program),
            env=child_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=_INITDB_SECONDS,
        )
        if made.returncode != 0:
            raise ClusterError(
                f"initdb could not make a cluster for {self.path} (status {made.returncode}):\n"
                f"{made.stderr[-_LOG_TAIL_BYTES:]}"
            )

    def retire_dead_server(self, wait_seconds: float) -> None:
        """Make sure that a server of an earlier start is gone and cannot block the next one.

        A server whose parent was killed is still shutting down for a moment: it gets
        `wait_seconds`. A process id in a left-over file may meanwhile be another program's, which
        PostgreSQL cannot tell apart; we can, on Linux. Call with the lock held.
        """
        if sys.platform != "linux":
            return
        deadline = time.monotonic() + wait_seconds
        while (pid := self._recorded_pid()) is not None and self._is_served_by(pid):
            if time.monotonic() > deadline:
                raise ClusterInUseError(
                    f"a PostgreSQL server that we did not start, process {pid}, runs on "
                    f"{self.path}. Stop it, or choose another folder."
                )
            time.sleep(0.02)
        for socket_lock in self.path.glob(".s.PGSQL.*.lock"):
            socket_lock.unlink()
        if pid is not None:
            # Not deleted: with the other lines PostgreSQL still checks that no orphaned backend
            # uses the old shared memory.
            first, rest = self._pid_file.read_text(encoding="utf-8").split("\n", 1)
            assert int(first) == pid
            self._pid_file.write_text(f"{_NO_PROCESS}\n{rest}", encoding="utf-8")

    @property
    def _pid_file(self) -> Path:
        return self.path / "postmaster.pid"

    def _pid_file_lines(self) -> list[str]:
        try:
            return self._pid_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _recorded_pid(self) -> int | None:
        lines = self._pid_file_lines()
        return int(lines[0]) if lines and lines[0].isdecimal() else None

    def _is_served_by(self, pid: int) -> bool:
        # The server's working folder is its data folder. One we may not look at is another
        # user's, which could not open this folder.
        try:
            return Path(f"/proc/{pid}/cwd").samefile(self.path)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return False

    def is_ready(self, pid: int) -> bool:
        """Whether the server with this process id says that it accepts connections.

        Read from postmaster.pid, as pg_ctl does: a connection that comes too early would leave a
        line in the log each time.
        """
        lines = self._pid_file_lines()
        return (
            len(lines) > _PID_FILE_STATUS_LINE
            and lines[0] == str(pid)
            and lines[_PID_FILE_STATUS_LINE].strip() == "ready"
        )

    def open_log(self) -> int:
        """A descriptor of the emptied log, readable by its owner only."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        log = os.open(self.log, flags | os.O_NOFOLLOW, 0o600)
        os.fchmod(log, 0o600)
        return log

    def log_tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace").strip()


def _locale_options(major: int) -> tuple[str, ...]:
    # The built-in provider sorts the same on every machine; before it there is the C library's.
    if major >= _BUILTIN_LOCALE_SINCE:
        return "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"
    return ("--locale=C.UTF-8",)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
