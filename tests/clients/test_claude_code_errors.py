"""What Claude Code shows when it is refused: the words of the refusal, and no endless retrying."""

from dataclasses import replace
from pathlib import Path

import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.limits import Reached
from tests.behaviour.service import CREDIT_NANOUSD, Service, serving
from tests.clients.conftest import GENERATED
from tests.clients.test_claude_code import CLAUDE, Ended, billed, ended, start

pytestmark = pytest.mark.skipif(not CLAUDE.exists(), reason="SKIPPED: the claude binary is not installed")


async def said_to(service: Service, folder: Path, prompt: str = "hi") -> Ended:
    session = await ended(await start(service, folder, service.key, "-p", prompt))
    print(session.said)  # noqa: T201
    assert session.status != 0
    return session


async def test_an_empty_balance_is_told(service: Service, tmp_path: Path) -> None:
    await service.accounts.credit(service.account, -CREDIT_NANOUSD)
    assert "prepaid balance is too low" in (await said_to(service, tmp_path)).said
    assert billed(service) == []


async def test_a_request_that_is_too_large_is_told(deployment: Deployment, dsn: str, tmp_path: Path) -> None:
    small = replace(deployment, proxy=replace(deployment.proxy, body_bytes_max=4096))
    async with serving(small, dsn, GENERATED) as service:
        assert "too large" in (await said_to(service, tmp_path)).said.lower()
        assert billed(service) == []


async def test_our_own_rate_limit_is_told(deployment: Deployment, dsn: str, tmp_path: Path) -> None:
    # Of the limit of a minute it is told when to come back, and waits; an hour it does not wait.
    fewest = replace(deployment.proxy.limits, requests_per_minute=20, requests_per_hour=20)
    async with serving(replace(deployment, proxy=replace(deployment.proxy, limits=fewest)), dsn, GENERATED) as service:
        for _ in range(fewest.requests_per_hour):
            assert not isinstance(service.running.parts.limits.admit((service.key_id, True)), Reached)
        assert "limit" in (await said_to(service, tmp_path)).said.lower()
        assert billed(service) == []


async def test_an_overloaded_upstream_is_told_and_costs_nothing(service: Service, tmp_path: Path) -> None:
    assert "overloaded" in (await said_to(service, tmp_path, "simulate: overloaded")).said.lower()
    assert service.rows("usage") == []
