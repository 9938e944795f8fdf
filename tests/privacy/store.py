"""A PostgreSQL server for tests that stop it and start it again."""

from pathlib import Path

from crouter.contract.deployment import Deployment
from crouter.embedded import Cluster, PostgresBinaries, RunningCluster
from crouter.runtime.database.migrations import Origin, migrate
from tests.privacy.sandbox import REPOSITORY

MIGRATIONS = REPOSITORY / "generated" / "database" / "migrations"


class Store:
    """A cluster in a folder: its data is in `folder/postgres`, its log beside it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._cluster = Cluster(folder / "postgres", PostgresBinaries.embedded(), durable=False)
        self._running: RunningCluster | None = None

    def start(self) -> None:
        self._running = self._cluster.start()

    def stop(self) -> None:
        """Ends the server; all that it knows is in files then."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def migrated(self, name: str, deployment: Deployment) -> str:
        """The address of a new database with the tables of the deployment."""
        assert self._running is not None
        dsn = self._running.ensure_database(name)
        migrate(dsn, MIGRATIONS, Origin.of(deployment), plain_postgres=True)
        return dsn

    def dsn(self, name: str) -> str:
        assert self._running is not None
        return self._running.dsn(name)
