"""Real servers for the tests of the embedded PostgreSQL: every one in a folder of its own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crouter.embedded import Cluster, ClusterError, PostgresBinaries
from crouter.embedded.identity import Identity, nobody_identity

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="session")
def embedded() -> PostgresBinaries:
    return PostgresBinaries.embedded()


@pytest.fixture(scope="session")
def debian_15() -> PostgresBinaries:
    if not DEBIAN_15.is_dir():
        pytest.skip(f"NOT TESTED with PostgreSQL 15: {DEBIAN_15} is not installed")
    return PostgresBinaries.installed(DEBIAN_15)


@pytest.fixture(params=["embedded", "debian_15"])
def each_binaries(request: pytest.FixtureRequest) -> PostgresBinaries:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, PostgresBinaries)
    return found


@pytest.fixture(scope="session")
def shared_data_dir(embedded: PostgresBinaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster that is not running, for tests that leave it as they found it: making one takes long."""
    folder = tmp_path_factory.mktemp("shared")
    with Cluster(folder / "pg", embedded, durable=False).start():
        pass
    yield folder / "pg"
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def no_cluster_stays(tmp_path: Path) -> Iterator[None]:
    """Remove what a test made: a cluster has 40 MB, and pytest would keep those of three runs."""
    yield
    shutil.rmtree(tmp_path)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="crouter-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def nobody(embedded: PostgresBinaries, open_folder: Path) -> Identity:
    """The identity used where user namespaces are forbidden."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can start a server as another user")
    identity = nobody_identity()
    try:
        identity.require_reach(embedded.path("postgres"), open_folder)
    except ClusterError as problem:
        pytest.skip(f"NOT TESTED as another user: {problem}")
    return identity
