"""A shop for each test, on a database of its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.contract.stripe.shop import Shop, shop
from tests.unit.runtime.retention.databases import Declared, TestDatabase


@pytest_asyncio.fixture
async def here(declared: Declared, database: TestDatabase) -> AsyncIterator[Shop]:
    async with shop(declared.deployment, database) as opened:
        yield opened
