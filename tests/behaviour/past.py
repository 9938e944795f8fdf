"""What an account did before a test looks at it: rows as the service itself would have written them."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
import psycopg

from tests.behaviour.service import MODEL, Service, message

SEED: Final = 20250105
REQUESTS: Final = 130
MODELS: Final = (MODEL, "claude-sonnet-5-5", "claude-fable-5-2")


async def live_through(service: Service) -> None:
    """Some weeks of requests, and one real one."""
    chance = random.Random(SEED)  # noqa: S311  nothing secret
    now = datetime.now(UTC)
    with psycopg.connect(service.dsn) as connection:
        for _ in range(REQUESTS):
            at = now - timedelta(hours=chance.uniform(1, 24 * 20))
            used = (chance.randrange(5, 9000), chance.randrange(1, 2000), chance.randrange(0, 20000))
            spend(connection, service, at, chance.choice(MODELS), used)
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{service.url}/v1/messages", json=message(), headers=service.headers()) as answer,
    ):
        assert answer.status == 200
    await service.settled("usage")


def spend(
    connection: "psycopg.Connection[tuple[object, ...]]",
    service: Service,
    at: datetime,
    model: str = MODEL,
    used: tuple[int, int, int] = (100, 10, 0),
    *,
    account: uuid.UUID | None = None,
    key: uuid.UUID | None = None,
) -> uuid.UUID:
    """One usage row with its charge, at 300, 1,500 and 30 nanodollars for input, output and cache reads."""
    record, owner = uuid.uuid4(), account or service.account
    cost = used[0] * 300 + used[1] * 1500 + used[2] * 30
    connection.execute(
        "INSERT INTO crouter.usage (id, account_id, api_key_id, model, input_tokens, output_tokens, cache_read_tokens,"
        " occurred_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (record, owner, key or service.key_id, model, *used, at),
    )
    connection.execute(
        "INSERT INTO crouter.ledger (id, account_id, kind, amount_nanousd, occurred_at)"
        " VALUES (%s, %s, 'charge', %s, %s)",
        (record, owner, -cost, at),
    )
    return record
