"""Two customers with the SDK, requests for batches, and what has to be in the books afterwards."""

import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anthropic
from anthropic.types.messages.batch_create_params import Request

from tests.behaviour.service import CREDIT_NANOUSD, MODEL, Service, until
from tests.clients.books import RATES

PATH = "/v1/messages/batches"


@dataclass(frozen=True)
class Customer:
    """Somebody with an account, a key and the SDK."""

    account: uuid.UUID
    key: str
    sdk: anthropic.AsyncAnthropic

    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key, "anthropic-version": "2023-06-01"}


async def customer(service: Service, stack: AsyncExitStack, name: str) -> Customer:
    account = await service.accounts.create(f"{name}@example.org", name)
    await service.accounts.credit(account, CREDIT_NANOUSD)
    key = (await service.keys.create(account)).key.reveal()
    sdk = await stack.enter_async_context(anthropic.AsyncAnthropic(api_key=key, base_url=service.url, max_retries=0))
    return Customer(account, key, sdk)


def asked(name: str, text: str = "hi", model: str = MODEL, **more: Any) -> Request:
    params = {"model": model, "max_tokens": 64, "messages": [{"role": "user", "content": text}], **more}
    return {"custom_id": name, "params": params}  # type: ignore[typeddict-item]


async def ended(sdk: anthropic.AsyncAnthropic, batch_id: str) -> anthropic.types.messages.MessageBatch:
    async def has_ended() -> bool:
        return (await sdk.messages.batches.retrieve(batch_id)).processing_status == "ended"

    await until(has_ended, 20)
    return await sdk.messages.batches.retrieve(batch_id)


async def results(sdk: anthropic.AsyncAnthropic, batch_id: str) -> dict[str, str]:
    return {line.custom_id: line.result.type async for line in await sdk.messages.batches.results(batch_id)}


def cost_nanousd(usage: dict[str, Any]) -> int:
    """What one result costs: half of each rate."""
    rates = {name: rate // 2 for name, rate in RATES[MODEL].items()}
    split = usage["cache_creation"]
    return int(
        usage["input_tokens"] * rates["input"]
        + usage["output_tokens"] * rates["output"]
        + split["ephemeral_5m_input_tokens"] * rates["write_5m"]
        + split["ephemeral_1h_input_tokens"] * rates["write_1h"]
        + usage["cache_read_input_tokens"] * rates["read"]
    )


def assert_billed_once(service: Service, who: Customer) -> None:
    """One row and one charge for each result that succeeded, and none beside them."""
    lines = list(service.simulator.ledger.batch_lines)
    rows = {row["id"]: row for row in service.rows("usage")}
    charges = {row["id"]: row for row in service.rows("ledger") if row["kind"] == "charge"}
    assert len(rows) == len(lines)
    assert rows.keys() == charges.keys()
    assert sorted(-row["amount_nanousd"] for row in charges.values()) == sorted(
        cost_nanousd(line.usage) for line in lines
    )
    assert sorted(row["output_tokens"] for row in rows.values()) == sorted(
        line.usage["output_tokens"] for line in lines
    )
    assert {row["account_id"] for row in rows.values()} == {who.account}
