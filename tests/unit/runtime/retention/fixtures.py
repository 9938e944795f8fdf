"""A real PostgreSQL for the session, and for each test a database as policy.yaml's first migration makes it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from crouter.embedded import Cluster, PostgresBinaries, RunningCluster
from crouter.runtime.database.migrations import migrate
from tests.unit.runtime.retention.databases import Declared, TestDatabase, declare_in

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
TEMPLATE = "migrated"


@pytest.fixture(scope="session")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Declared:
    return declare_in(tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    folder = tmp_path_factory.mktemp("retention") / "pg"
    with Cluster(folder, PostgresBinaries.embedded(), durable=False).start() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_15(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    if not DEBIAN_15.is_dir():
        pytest.skip(f"NOT TESTED with PostgreSQL 15: {DEBIAN_15} is not installed")
    folder = tmp_path_factory.mktemp("retention15") / "pg"
    with Cluster(folder, PostgresBinaries.installed(DEBIAN_15), durable=False).start() as server:
        yield server


@pytest.fixture(scope="session")
def empty_names() -> Iterator[str]:
    return (f"retention_{number}" for number in itertools.count(1))


@pytest.fixture(scope="session")
def template(postgres: RunningCluster, declared: Declared) -> str:
    migrate(postgres.ensure_database(TEMPLATE), declared.migrations, declared.origin, plain_postgres=True)
    return TEMPLATE


@pytest.fixture
def empty_database(postgres: RunningCluster, empty_names: Iterator[str]) -> TestDatabase:
    """Nothing in it yet."""
    return TestDatabase(postgres.ensure_database(next(empty_names)))


@pytest.fixture
def database(postgres: RunningCluster, template: str, empty_names: Iterator[str]) -> TestDatabase:
    """Migrated, without rows."""
    name = next(empty_names)
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        connection.execute(copied)
    return TestDatabase(postgres.dsn(name))
