"""Fixtures: generated edge files, a service behind them, and workerd in between."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from crouter.generate.templates import Templates
from crouter.generate.views import edge
from crouter.plan.plan import make_plan
from crouter.policy.model import Policy
from tests.edge.origin import SECRET, Origin
from tests.edge.running_worker import RunningWorker, running_worker, workerd_binary

ROOT = Path(__file__).resolve().parents[2]

Edit = Callable[[dict[str, Any]], None]
Start = Callable[..., AbstractAsyncContextManager[RunningWorker]]


def unchanged(said: dict[str, Any]) -> None:
    """The policy as it is."""


def edge_files(edit: Edit) -> dict[str, str]:
    """The edge family of our own policy after `edit`."""
    said = yaml.safe_load((ROOT / "policy.yaml").read_text(encoding="utf-8"))
    edit(said)
    policy = Policy.model_validate_json(json.dumps(said, default=str))
    return edge.render(make_plan(policy), Templates())


@pytest.fixture(scope="session")
def workerd() -> Path:
    binary = workerd_binary(ROOT)
    if binary is None:
        pytest.skip("THE EDGE WAS NOT TESTED: workerd is not installed; run npm ci in the repository first")
    return binary


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with Origin().serving() as serving:
        yield serving


@pytest.fixture
def start(workerd: Path, tmp_path: Path, origin: Origin) -> Start:
    """Starts the Worker of an edited policy; keyword arguments replace its bindings, None takes one away."""

    def starting(edit: Edit = unchanged, **bindings: str | None) -> AbstractAsyncContextManager[RunningWorker]:
        given = {"ORIGIN_URL": origin.url, "EDGE_SECRET": SECRET, **bindings}
        kept = {name: value for name, value in given.items() if value is not None}
        return running_worker(workerd, tmp_path, edge_files(edit), kept)

    return starting


@pytest.fixture
async def worker(start: Start) -> AsyncIterator[RunningWorker]:
    """The Worker of our own policy."""
    async with start() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """Follows nothing, decodes nothing, remembers nothing."""
    timeout = aiohttp.ClientTimeout(total=30)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar, auto_decompress=False) as session:
        yield session
