"""How many mails wait and how many were given up stands in a metric, whoever sends them."""

import asyncio

from crouter.runtime.ending import end_task
from crouter.runtime.mail.watch import watch_mail
from crouter.runtime.metrics import Metrics
from tests.unit.runtime.jobs.jobs import worker
from tests.unit.runtime.mail.deliveries import RECEIPT
from tests.unit.runtime.retention.databases import Declared, TestDatabase

pytest_plugins = ("tests.unit.runtime.retention.fixtures",)


async def until(metrics: Metrics, line: str) -> None:
    async with asyncio.timeout(20):
        while line not in metrics.exposition().decode():  # noqa: ASYNC110 - a gauge tells nobody that it changed
            await asyncio.sleep(0.01)


async def test_a_parked_mail_is_seen_in_a_metric(database: TestDatabase, declared: Declared) -> None:
    metrics = Metrics(declared.deployment.metrics)
    async with worker(declared, database.dsn, []) as node:
        account = database.account()
        async with node.context.database.transaction() as connection:
            for _ in range(3):
                await node.context.outbox.enqueue(connection, account, "receipt", RECEIPT)
        task = asyncio.create_task(watch_mail(declared.deployment, node.context.database, metrics, pause=0.01))
        await until(metrics, 'crouter_mail{state="waiting"} 3.0')
        database.execute("UPDATE outbox SET state = 'parked' WHERE id IN (SELECT id FROM outbox LIMIT 1)")
        await until(metrics, 'crouter_mail{state="parked"} 1.0')
        await until(metrics, 'crouter_mail{state="waiting"} 2.0')
        await end_task(task)
