"""The folder .crouter/: what a development run keeps, files for their owner only, one run at a time."""

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from crouter.development.errors import AlreadyRunningError, DevelopmentError

_FOLDER_MODE = 0o755
_FILE_MODE = 0o600
_NOTE_BYTES_MAX = 32


@dataclass(frozen=True, slots=True)
class DevelopmentFacts:
    """What dev.json tells other programs of this machine about the last run.

    `upstream` is `simulator` or `anthropic`. Whether the run is still there is told by `pid`.
    """

    url: str
    api_key: str
    dashboard_url: str
    database_url: str
    upstream: str
    upstream_url: str
    pid: int


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The folder, by its path; it need not exist yet."""

    path: Path

    @property
    def facts_file(self) -> Path:
        return self.path / "dev.json"

    @property
    def secrets_file(self) -> Path:
        return self.path / "secrets"

    @property
    def tombstones_file(self) -> Path:
        return self.path / "tombstones"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def mail(self) -> Path:
        return self.path / "mail"

    @property
    def worker_log(self) -> Path:
        return self.path / "worker.log"

    @property
    def _lock_file(self) -> Path:
        return self.path / "run.lock"

    def make(self) -> None:
        """Make the folder unless it is there. Raises DevelopmentError."""
        try:
            if not self.path.exists():
                self.path.mkdir()
                # PostgreSQL may run as another user, who has to get to its own folder; our files are closed themselves.
                self.path.chmod(_FOLDER_MODE)
        except OSError as problem:
            raise DevelopmentError(f"{self.path} cannot be made: {problem.strerror}") from problem

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this process; the kernel lets go when the process ends, however it ends.

        Raises AlreadyRunningError, which names the address of the other run where it is known, and DevelopmentError.
        """
        try:
            lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        except OSError as problem:
            raise DevelopmentError(f"{self._lock_file} cannot be opened: {problem.strerror}") from problem
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise self._already_running(os.pread(lock, _NOTE_BYTES_MAX, 0)) from None
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(lock)

    def read_facts(self) -> DevelopmentFacts | None:
        """What the last run that served has written; None where there is nothing of use."""
        try:
            told = json.loads(self.facts_file.read_bytes())
            return DevelopmentFacts(**told)
        except (OSError, ValueError, TypeError):
            return None

    def write_facts(self, facts: DevelopmentFacts) -> None:
        """Write dev.json: readers find the old facts or the new ones. Raises DevelopmentError."""
        self.write_private(self.facts_file, json.dumps(asdict(facts), indent=2) + "\n")

    def write_private(self, path: Path, text: str) -> None:
        """Write a file of this folder, whole or not at all, for its owner only. Raises DevelopmentError."""
        try:
            # mkstemp makes its file for the owner only.
            descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}.", dir=self.path)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(unfinished).replace(path)
            except BaseException:
                Path(unfinished).unlink()
                raise
        except OSError as problem:
            raise DevelopmentError(f"{path} cannot be written: {problem.strerror}") from problem

    def _already_running(self, note: bytes) -> AlreadyRunningError:
        pid = int(note) if note.isdigit() else None
        facts = self.read_facts()
        hint = "use that one, or stop it with Ctrl-C in its terminal"
        if pid is not None and facts is not None and facts.pid == pid:
            return AlreadyRunningError(f"crouter runs here already, on {facts.url} (process {pid})", hint)
        who = f" (process {pid})" if pid is not None else ""
        return AlreadyRunningError(f"another `crouter run` is just starting or stopping here{who}", hint)
