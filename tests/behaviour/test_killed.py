"""A service killed at random moments: what clients saw end, the journal and the ledger agree, and credit comes back."""

import asyncio
import json
import os
import random
import time
from asyncio.subprocess import DEVNULL
from pathlib import Path

import aiohttp
import psycopg
import pytest

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.pool import Database
from crouter.runtime.keys import KeyStore
from crouter.runtime.settings import read_store_settings
from crouter.simulator import Simulator
from tests.behaviour.service import UPSTREAM_KEY, environment, message, until
from tests.behaviour.test_process import process, started

SEED = int(os.environ.get("CROUTER_SEED", "0")) or time.time_ns() % 10**9
KILLS = int(os.environ.get("CROUTER_KILLS", "3"))
CREDIT_NANOUSD = 10**12
CLIENTS = 8


class Customer:
    """Sends requests until it is told to stop, and counts the answers whose end it saw."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.ended = 0

    async def run(self, session: aiohttp.ClientSession, url: str) -> None:
        headers = {"x-api-key": self.key, "anthropic-version": "2023-06-01"}
        stream = True
        while True:
            stream = not stream
            try:
                async with session.post(f"{url}/v1/messages", json=message(stream=stream), headers=headers) as answer:
                    body = await answer.read()
            except aiohttp.ClientError:
                return
            if answer.status == 200 and (b"message_stop" in body if stream else json.loads(body)):
                self.ended += 1


def numbers(dsn: str) -> tuple[int, int, int, int]:
    """Usage rows, charges, what the ledger is short of the credit, what is leased."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM crouter.usage), "
            "(SELECT count(*) FROM crouter.ledger WHERE kind = 'charge'), "
            "(SELECT -coalesce(sum(amount_nanousd), 0) FROM crouter.ledger WHERE kind = 'charge'), "
            "(SELECT coalesce(sum(remaining_nanousd), 0) FROM crouter.credit_lease)"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def environ_of(tmp_path: Path, dsn: str) -> dict[str, str]:
    return {"CROUTER_JOURNAL": str(tmp_path / "journal")}


async def test_whatever_moment_it_is_killed_at_no_ended_answer_is_without_its_record(
    deployment: Deployment, dsn: str, generated: Path, environ_of: dict[str, str]
) -> None:
    print(f"CROUTER_SEED={SEED}")  # noqa: T201  to repeat a failure
    rng = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    simulator = Simulator(UPSTREAM_KEY, pace_s=0.0)
    async with simulator.serving() as upstream:
        environ = environment(dsn, upstream, **environ_of)
        store = read_store_settings(environ)
        database = Database(store, deployment.database_schema)
        await database.open()
        account = await Accounts(deployment, database).create("ada@example.org", "Ada")
        await Accounts(deployment, database).credit(account, CREDIT_NANOUSD)
        keys = [await KeyStore(deployment, database, store).create(account, beside_others=True) for _ in range(CLIENTS)]
        await database.close()
        customers = [Customer(key.key.reveal()) for key in keys]
        for _ in range(KILLS):
            async with process(generated, environ, log=DEVNULL) as child, aiohttp.ClientSession() as session:
                url = await started(child)
                tasks = [asyncio.create_task(customer.run(session, url)) for customer in customers]
                await asyncio.sleep(rng.uniform(0.3, 1.2))
                child.kill()
                await child.wait()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        # The next process adopts what the last one left.
        async with process(generated, environ, log=DEVNULL) as child:
            await started(child)
            root = Path(environ["CROUTER_JOURNAL"])
            await until(lambda: len([name for name in names(root) if len(name) == 36]) == 1, 30)
            child.terminate()
            await child.wait()
    ended = sum(customer.ended for customer in customers)
    assert ended > 0
    rows, charges, short, leased = numbers(dsn)
    assert rows == charges
    # A request that was cut off may have its record: what the upstream reported is billed.
    assert ended <= rows <= ended + KILLS * CLIENTS
    assert short > 0
    assert leased == 0
    assert names(root) == []
