"""Every test of the client runs on both event loops: the service's and the standard library's."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loops whose transports the client is written for."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
