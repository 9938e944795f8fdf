"""A service from the repository's own generated declarations for each test, and an upstream that keeps a ledger."""

import importlib
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

import crouter
from crouter.contract.deployment import Deployment
from crouter.embedded import Cluster, PostgresBinaries, RunningCluster
from crouter.runtime.database.migrations import Origin, migrate
from tests.behaviour.service import Service, serving
from tests.clients.batching import Customer, customer

GENERATED = Path(crouter.__file__).resolve().parents[1] / "generated"


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    found = importlib.import_module("generated.service").DEPLOYMENT
    assert isinstance(found, Deployment)
    return found


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    folder = tmp_path_factory.mktemp("clients")
    with Cluster(folder / "postgres", PostgresBinaries.embedded(), durable=False).start() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(cluster: RunningCluster, deployment: Deployment) -> str:
    """The name of a migrated database, for tests to start from a copy of it."""
    dsn = cluster.ensure_database("migrated")
    migrate(dsn, GENERATED / "database" / "migrations", Origin.of(deployment), plain_postgres=True)
    return "migrated"


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"clients_{number}" for number in itertools.count(1))


@pytest.fixture
def dsn(cluster: RunningCluster, migrated: str, database_names: Iterator[str]) -> str:
    name = next(database_names)
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    return cluster.dsn(name)


@pytest_asyncio.fixture
async def service(deployment: Deployment, dsn: str) -> AsyncIterator[Service]:
    async with serving(deployment, dsn, GENERATED) as running:
        yield running


@pytest_asyncio.fixture
async def two(service: Service) -> AsyncIterator[tuple[Customer, Customer]]:
    """Two customers of the same service, who know nothing of each other."""
    async with AsyncExitStack() as stack:
        yield await customer(service, stack, "grace"), await customer(service, stack, "mary")
