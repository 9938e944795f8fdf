"""One PostgreSQL for the session, a migrated database for each test, and a running service on it."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.embedded import Cluster, PostgresBinaries, RunningCluster
from crouter.runtime.database.migrations import Origin, migrate
from tests.behaviour.deployment import Generated, generate_into
from tests.behaviour.service import Service, serving


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    folder = tmp_path_factory.mktemp("postgres")
    with Cluster(folder / "data", PostgresBinaries.embedded(), durable=False).start() as server:
        yield server


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """Everything generated from the repository's policy."""
    return generate_into(tmp_path_factory.mktemp("project") / "generated")


@pytest.fixture(scope="session")
def deployment(whole: Generated) -> Deployment:
    return whole.deployment


@pytest.fixture(scope="session")
def generated(whole: Generated) -> Path:
    return whole.folder


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"test_{number}" for number in itertools.count(1))


@pytest.fixture(scope="session")
def migrated(cluster: RunningCluster, whole: Generated) -> str:
    """The name of a database that was migrated as an operator would, for tests to start from a copy of it."""
    migrate(cluster.ensure_database("migrated"), whole.migrations, Origin.of(whole.deployment), plain_postgres=True)
    return "migrated"


@pytest.fixture
def dsn(cluster: RunningCluster, migrated: str, database_names: Iterator[str]) -> str:
    """The address of a database of the test's own."""
    name = next(database_names)
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    return cluster.dsn(name)


@pytest.fixture
def cluster_dsn(cluster: RunningCluster) -> str:
    """The address of a database that nobody migrated."""
    return cluster.ensure_database("untouched")


@pytest_asyncio.fixture
async def service(deployment: Deployment, dsn: str, generated: Path) -> AsyncIterator[Service]:
    async with serving(deployment, dsn, generated) as running:
        yield running
