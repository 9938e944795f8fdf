"""Spending limits of keys and accounts: what a request may cost at most fits below them, in many processes too."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import aiohttp

from crouter.contract.deployment import Deployment
from crouter.runtime.account_limits import LimitStore
from crouter.runtime.metrics import Metrics
from crouter.runtime.running import Running, running, service_log
from tests.behaviour.service import Service, message, until
from tests.behaviour.test_keys import until_listening

MOST_NANOUSD = 3_000_000
"""More than what one of these requests is held for."""


async def asked(service: Service, url: str | None = None) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url or service.url}/v1/messages", json=message(), headers=service.headers()) as answer,
    ):
        said = await answer.json()
        return answer.status, said.get("error", {}).get("message", "")


def spent(service: Service) -> int:
    return sum(row["spent_nanousd"] for row in service.rows("key_spending"))


async def limited(service: Service, nanousd: int | None) -> None:
    """Sets the key's limit, and waits until the service knows."""
    await until_listening(service)
    await service.keys.limit(service.key_id, nanousd)
    await asyncio.sleep(0.2)


async def test_a_request_that_does_not_fit_below_the_limit_is_told_so_and_goes_nowhere(service: Service) -> None:
    await limited(service, 1000)
    status, said = await asked(service)
    assert status == 402
    assert f"spending limit of this API key for {datetime.now(UTC):%Y-%m}" in said
    assert len(service.simulator.ledger) == 0
    await limited(service, None)
    assert (await asked(service))[0] == 200


async def test_what_was_spent_counts_until_the_month_is_over(service: Service) -> None:
    for _ in range(3):
        assert (await asked(service))[0] == 200
    await service.settled("usage")
    charged = -sum(row["amount_nanousd"] for row in service.rows("ledger") if row["kind"] == "charge")
    assert spent(service) == charged > 0
    await limited(service, charged)
    assert (await asked(service))[0] == 402
    (row,) = service.rows("key_spending")
    now = datetime.now(UTC)
    assert row["month"] == datetime(now.year, now.month, 1, tzinfo=UTC)
    (key,) = [one for one in service.rows("api_key") if one["id"] == service.key_id]
    assert key["last_used_on"] == now.date()
    assert type(key["last_used_on"]) is date


async def test_a_limit_of_the_account_holds_for_its_key(service: Service, deployment: Deployment) -> None:
    await until_listening(service)
    limits = LimitStore(deployment, service.running.parts.database)
    await limits.set_month_limit(service.account, 1000)

    async def is_refused() -> bool:
        return (await asked(service))[0] == 402

    await until(is_refused)
    assert "of this account" in (await asked(service))[1]
    await limits.set(service.account, {"requests_per_minute": 400})
    assert (await limits.of(service.account)).over(deployment.proxy.limits).requests_per_minute == 400


@asynccontextmanager
async def second(service: Service, deployment: Deployment, generated: Path) -> AsyncIterator[Running]:
    """Another process of the same service, as far as the database can tell."""
    with tempfile.TemporaryDirectory() as journal:
        settings = replace(service.running.parts.settings, journal=Path(journal))
        metrics = Metrics(deployment.metrics)
        log = service_log(deployment, io.StringIO(), metrics)
        async with running(deployment, settings, generated, log, metrics, grace_seconds=5) as found:
            yield found


async def test_hundreds_at_once_in_two_processes_spend_no_more_than_the_limit_and_leave_nothing_held(
    service: Service, deployment: Deployment, generated: Path
) -> None:
    await LimitStore(deployment, service.running.parts.database).set(
        service.account, {"requests_per_minute": 1000, "requests_per_hour": 10_000, "concurrent_requests": 1000}
    )
    limit = 4 * MOST_NANOUSD
    async with second(service, deployment, generated) as other:
        await limited(service, limit)
        answers = await asyncio.gather(*(asked(service, url) for url in (service.url, other.url) * 50))
        statuses = [status for status, _ in answers]
        assert statuses.count(200) + statuses.count(402) == 100
        assert statuses.count(200) >= 4
        for process in (service.running, other):
            assert await process.parts.settling.shipped(10) == 0
            spending = process.parts.spending
            assert spending is not None
            assert spending.room.holds.open == 0
            assert all(lease.held == lease.pending == 0 for lease in spending.room.leases.values())
    assert 0 < spent(service) <= limit
    assert spent(service) == -sum(row["amount_nanousd"] for row in service.rows("ledger") if row["kind"] == "charge")
