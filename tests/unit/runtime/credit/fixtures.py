"""An account with credit for ten requests of `NEED`, on a migrated database of the test's own."""

import io
from collections.abc import AsyncIterator

import pytest_asyncio

from crouter.runtime.metrics import Metrics
from crouter.runtime.running import service_log
from crouter.runtime.settings import read_store_settings
from tests.behaviour.service import environment
from tests.unit.runtime.credit.books import Books, books
from tests.unit.runtime.retention.databases import Declared, TestDatabase

NEED = 1_000_000


@pytest_asyncio.fixture
async def ten(declared: Declared, database: TestDatabase) -> AsyncIterator[Books]:
    deployment = declared.deployment
    log = service_log(deployment, io.StringIO(), Metrics(deployment.metrics), strict=True)
    settings = read_store_settings(environment(database.dsn, "http://127.0.0.1:1"))
    async with books(deployment, settings, 10 * NEED, log) as opened:
        yield opened
