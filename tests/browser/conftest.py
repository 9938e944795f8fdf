"""One service with an account that has used something, and one Chromium, for all tests of this folder.

The browser is the one that is installed; where there is none the tests are skipped, and say so.
"""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from crouter.embedded import Cluster, PostgresBinaries, RunningCluster
from crouter.runtime.database.migrations import Origin, migrate
from tests.behaviour.deployment import Generated, generate_into
from tests.behaviour.past import live_through
from tests.behaviour.service import Service, serving
from tests.browser.visits import Visit, visiting

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
Open = Callable[..., AbstractAsyncContextManager[Visit]]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the installed browser."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("SKIPPED: no Chromium or Chrome is installed (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """Everything generated from the repository's policy, with the installed web assets beside it."""
    folder = tmp_path_factory.mktemp("site")
    if not (ROOT / "node_modules" / "uplot").is_dir():
        pytest.skip("SKIPPED: the web assets are not installed (npm ci)")
    (folder / "node_modules").symlink_to((ROOT / "node_modules").resolve())
    return generate_into(folder / "generated")


@pytest.fixture(scope="session")
def browser_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    folder = tmp_path_factory.mktemp("browser")
    with Cluster(folder / "data", PostgresBinaries.embedded(), durable=False).start() as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(project: Generated, browser_cluster: RunningCluster, chromium: str) -> AsyncIterator[Service]:
    """The service. Its development account has a past of some weeks, by hand, and of one real request."""
    del chromium
    dsn = browser_cluster.ensure_database("site")
    migrate(dsn, project.migrations, Origin.of(project.deployment), plain_postgres=True)
    async with serving(project.deployment, dsn, project.folder, show_dashboard=True) as running:
        await live_through(running)
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # The sandbox of Chromium wants what containers and root do not give; pages are our own.
        found = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        await found.close()


@pytest.fixture
def open_page(browser: Browser, site: Service) -> Open:
    """Opens a browser of its own for one visit; see `tests.browser.visits.visiting`."""

    def opened(*, signed_in: bool = True, **options: object) -> AbstractAsyncContextManager[Visit]:
        return visiting(browser, site, signed_in=signed_in, **options)

    return opened
