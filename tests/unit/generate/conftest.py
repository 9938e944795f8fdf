"""A real PostgreSQL for the tests of migrations: one server for the session, one database for each test that asks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from crouter.embedded import Cluster, PostgresBinaries, RunningCluster

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
SHIM = Path(__file__).parents[3] / "crouter" / "runtime" / "database" / "supabase_shim.sql"

Database = psycopg.Connection[tuple[object, ...]]
Databases = Callable[[], Database]


@pytest.fixture(scope="session", params=["embedded", "debian_15"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    if request.param == "debian_15" and not DEBIAN_15.is_dir():
        pytest.skip(f"NOT TESTED with PostgreSQL 15: {DEBIAN_15} is not installed")
    found = PostgresBinaries.installed(DEBIAN_15) if request.param == "debian_15" else PostgresBinaries.embedded()
    with Cluster(tmp_path_factory.mktemp("postgres") / "data", found, durable=False).start() as running:
        yield running


@pytest.fixture
def databases(server: RunningCluster) -> Iterator[Databases]:
    """Makes empty databases with the shim applied."""
    opened: list[Database] = []

    def new() -> Database:
        name = f"case_{len(opened)}"
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
        opened.append(psycopg.connect(server.dsn(name), autocommit=True))
        opened[-1].execute(SHIM.read_bytes())
        return opened[-1]

    yield new
    for connection in opened:
        connection.close()
