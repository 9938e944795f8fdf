"""One account's credit is spent once: by a batch or by messages, in whichever process they are asked for."""

import asyncio
import dataclasses
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import anthropic
import pytest
import pytest_asyncio
from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.credit import spendable
from crouter.runtime.database.pool import Database
from crouter.runtime.metrics import Metrics
from crouter.runtime.running import Running, running, service_log
from crouter.simulator import Scripted, Wait
from tests.behaviour.service import CREDIT_NANOUSD, MODEL, Service, until
from tests.clients.batching import Customer, asked, customer, ended, results
from tests.clients.conftest import GENERATED

WRITTEN = 200_000
"""Tokens of output that cost 1 USD in a message, and 0.5 USD in a batch."""
BALANCE = 1_500_000_000


async def process_beside(service: Service, deployment: Deployment, journal: Path, stack: AsyncExitStack) -> Running:
    """A further process of the same service: another journal, other leases, the same database."""
    settings = dataclasses.replace(service.running.parts.settings, journal=journal)
    metrics = Metrics(deployment.metrics)
    log = service_log(deployment, io.StringIO(), metrics, strict=True)
    return await stack.enter_async_context(running(deployment, settings, GENERATED, log, metrics, grace_seconds=5))


@pytest_asyncio.fixture
async def poor(service: Service) -> AsyncIterator[Customer]:
    """A customer with BALANCE."""
    async with AsyncExitStack() as stack:
        made = await customer(service, stack, "hedy")
        await service.accounts.credit(made.account, BALANCE - CREDIT_NANOUSD)
        yield made


@pytest_asyncio.fixture
async def beside(
    service: Service, deployment: Deployment, poor: Customer, tmp_path: Path
) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """The same customer, at another process."""
    async with AsyncExitStack() as stack:
        other = await process_beside(service, deployment, tmp_path, stack)
        # What it leases is asked back through the database; a service that has started listens there.
        await asyncio.sleep(0.3)
        yield await stack.enter_async_context(
            anthropic.AsyncAnthropic(api_key=poor.key, base_url=other.url, max_retries=0)
        )


async def say(sdk: anthropic.AsyncAnthropic, written: int = WRITTEN, text: str = "hi") -> None:
    body = {"model": MODEL, "max_tokens": written, "messages": [{"role": "user", "content": text}]}
    await sdk.post("/v1/messages", body=body, cast_to=object)


async def batch_of_a_dollar(sdk: anthropic.AsyncAnthropic) -> str:
    requests = [asked(name, max_tokens=WRITTEN) for name in ("a", "b")]
    return (await sdk.messages.batches.create(requests=requests)).id


async def what_a_batch_holds_no_message_spends(poor: Customer, beside: anthropic.AsyncAnthropic) -> None:
    batch = await batch_of_a_dollar(poor.sdk)
    for sdk in (poor.sdk, beside):
        with pytest.raises(anthropic.PaymentRequiredError):
            await say(sdk)
        await say(sdk, 64)
    await ended(poor.sdk, batch)
    assert await results(poor.sdk, batch) == {"a": "succeeded", "b": "succeeded"}
    for sdk in (poor.sdk, beside):
        await say(sdk)


async def test_what_a_batch_holds_no_message_spends_in_either_process(
    poor: Customer, beside: anthropic.AsyncAnthropic
) -> None:
    await what_a_batch_holds_no_message_spends(poor, beside)


async def test_without_what_batches_hold_the_same_credit_would_be_spent_twice(
    service: Service, deployment: Deployment, poor: Customer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(database: Database, account: sql.Composable) -> sql.Composed:
        return sql.Composed([sql.SQL("0")])

    monkeypatch.setattr(spendable, "held_by", nothing)
    async with AsyncExitStack() as stack:
        other = await process_beside(service, deployment, tmp_path, stack)
        sdk = await stack.enter_async_context(
            anthropic.AsyncAnthropic(api_key=poor.key, base_url=other.url, max_retries=0)
        )
        await batch_of_a_dollar(poor.sdk)
        await say(sdk)


async def test_what_a_message_in_another_process_holds_no_batch_gets(
    service: Service, poor: Customer, beside: anthropic.AsyncAnthropic
) -> None:
    service.simulator.script(next=Scripted.stream([Wait(30)]))
    task = asyncio.create_task(say(beside))
    await until(lambda: len(service.simulator.ledger) == 1)
    with pytest.raises(anthropic.PaymentRequiredError):
        await batch_of_a_dollar(poor.sdk)
    assert service.rows("batch") == []
    task.cancel()
    await asyncio.wait({task})

    async def is_admitted() -> bool:
        try:
            await batch_of_a_dollar(poor.sdk)
        except anthropic.PaymentRequiredError:
            return False
        return True

    await until(is_admitted, 20)


async def test_idle_leases_of_all_processes_are_called_in_for_a_batch(
    service: Service, poor: Customer, beside: anthropic.AsyncAnthropic
) -> None:
    for sdk in (poor.sdk, beside):
        await say(sdk, 64)
    leased = sum(row["remaining_nanousd"] for row in service.rows("credit_lease"))
    assert leased > 0
    spent = BALANCE - await service.accounts.balance(poor.account)
    entries = [
        asked("a", max_tokens=2 * WRITTEN),
        asked("b", max_tokens=(BALANCE - spent) // 2500 - 2 * WRITTEN - 9000),
    ]
    assert (await poor.sdk.messages.batches.create(requests=entries)).processing_status == "in_progress"
    left = await service.accounts.balance(poor.account)
    assert sum(row["held_nanousd"] for row in service.rows("batch")) > left - leased


async def test_two_accounts_spend_nothing_of_each_other(
    service: Service, poor: Customer, beside: anthropic.AsyncAnthropic, two: tuple[Customer, Customer]
) -> None:
    first, second = two
    await batch_of_a_dollar(poor.sdk)
    with pytest.raises(anthropic.PaymentRequiredError):
        await say(beside)
    for other in (first, second):
        await batch_of_a_dollar(other.sdk)
        await say(other.sdk)
    held = {row["account_id"] for row in service.rows("batch")}
    assert held == {poor.account, first.account, second.account}
