"""What all scenarios stand on: everything generated with limits out of reach, a PostgreSQL to be hurt, a template.

A commit is with the kernel before it is answered, as in production: the database's processes are killed. It is not with
the disk, because the machine is not.
"""

import contextlib
import itertools
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import Cluster, PostgresBinaries, RunningCluster
from crouter.generate.emit import emit
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.runtime.database.migrations import Origin, migrate

ROOT = Path(__file__).resolve().parents[2]
_LIMITS = re.compile(r"(requests_per_(?:minute|hour|day)|(?:input|output)_tokens_per_minute|concurrent_requests): \d+")
_TEMPLATE = "torture_template"


@dataclass
class Postgres:
    """One data folder with the server on it, which can be killed and comes back at the same address."""

    data: Path
    running: RunningCluster | None = None

    def start(self) -> None:
        """Starts it, after whatever has happened to it before. Raises ClusterError."""
        assert self.running is None, "it runs"
        self.running = Cluster(self.data, PostgresBinaries.embedded(), durable=False).start()
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            # What tests usually do without, and a scenario that kills the server must not.
            connection.execute("ALTER ROLE ALL SET synchronous_commit = on")

    def stop(self) -> None:
        """Ends it cleanly, if it runs."""
        running, self.running = self.running, None
        if running is not None:
            running.stop()

    def kill(self) -> None:
        """Ends the server and all its processes at once, as a loss of power would."""
        running, self.running = self.running, None
        assert running is not None, "it runs"
        # The launcher made it the leader of a session: its processes are its group.
        os.killpg(running.pid, signal.SIGKILL)
        running.stop()

    def ensure(self) -> None:
        """Makes it run, whatever state a scenario left it in."""
        if self.running is not None and not self.running.running:
            self.running.stop()
            self.running = None
        if self.running is None:
            self.start()

    def dsn(self, database: str = "postgres") -> str:
        """The address of a database, while it runs."""
        assert self.running is not None, "it runs"
        return self.running.dsn(database)


@dataclass
class Ground:
    """The generated project, its deployment, a database server and names for databases."""

    folder: Path
    generated: Path
    deployment: Deployment
    postgres: Postgres
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new_database(self) -> str:
        """The name of a migrated database that nobody has used."""
        self.postgres.ensure()
        name = f"torture_{next(self._numbers)}"
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(_TEMPLATE))
        with psycopg.connect(self.postgres.dsn(), autocommit=True) as connection:
            connection.execute(copy)
        return name

    def new_folder(self, name: str) -> Path:
        """An empty folder for one scenario."""
        folder = self.folder / f"{name}-{next(self._numbers)}"
        folder.mkdir()
        return folder

    @contextlib.contextmanager
    def another_server(self, folder: Path) -> "Iterator[Ground]":
        """The same on a server of its own, whose data is in `folder`, until the block ends."""
        with _server(folder) as postgres:
            other = Ground(self.folder, self.generated, self.deployment, postgres, self._numbers)
            other.prepare()
            yield other

    def prepare(self) -> None:
        """Makes the database that others are copied from."""
        dsn = self.postgres.running.ensure_database(_TEMPLATE) if self.postgres.running else ""
        migrations = self.generated / "database" / "migrations"
        migrate(dsn, migrations, Origin.of(self.deployment), plain_postgres=True)


@contextlib.contextmanager
def prepared(folder: Path) -> Iterator[Ground]:
    """Generates, starts a server and migrates; all of it in `folder`, which has a short path."""
    policy = (ROOT / "policy.yaml").read_text(encoding="utf-8")
    text, edits = _LIMITS.subn(r"\1: 1000000000", policy)
    assert edits == 6, "policy.yaml says its limits in another way; tests/torture/ground.py edits them"
    loaded = load(text)
    assert loaded.policy is not None, loaded.problems
    generated = folder / "project" / "generated"
    generated.parent.mkdir()
    emit(loaded.policy, generated)
    with _server(folder / "pg") as postgres:
        ground = Ground(folder, generated, make_plan(loaded.policy).deployment, postgres)
        ground.prepare()
        yield ground


@contextlib.contextmanager
def _server(data: Path) -> Iterator[Postgres]:
    postgres = Postgres(data)
    postgres.start()
    try:
        yield postgres
    finally:
        postgres.stop()
