"""A served simulator without pace, for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest

from crouter.simulator import Simulator


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    served = Simulator("sk-ant-upstream-key-of-the-tests", pace_s=0, record=True)
    async with served.serving():
        yield served
