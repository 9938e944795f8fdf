"""A running service with everything around it, for one test."""

import asyncio
import base64
import contextlib
import io
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.pool import Database
from crouter.runtime.keys import KeyStore
from crouter.runtime.metrics import Metrics
from crouter.runtime.running import Running, running, service_log
from crouter.runtime.settings import read_settings
from crouter.simulator import Simulator

UPSTREAM_KEY = "sk-ant-of-the-operator"
MODEL = "claude-haiku-4-5"
CREDIT_NANOUSD = 5_000_000_000
SEALING_KEYS = "1:" + base64.b64encode(b"s" * 32).decode()
LOOKUP_KEYS = "1:" + base64.b64encode(b"l" * 32).decode()


@dataclass
class Service:
    """The service under test, and what a test looks at: its upstream, its database, its log."""

    url: str
    key: str
    key_id: uuid.UUID
    account: uuid.UUID
    dsn: str
    simulator: Simulator
    running: Running
    keys: KeyStore
    accounts: Accounts
    out: io.StringIO

    def headers(self, **more: str) -> dict[str, str]:
        """What a client sends with a request to the API."""
        return {"x-api-key": self.key, "anthropic-version": "2023-06-01", **more}

    async def settled(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, once what is in the journal has come to the database."""
        assert await self.running.parts.settling.shipped(10) == 0
        return self.rows(table)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, as the database's superuser sees them."""
        with psycopg.connect(self.dsn, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(
                psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier("crouter", table))
            ).fetchall()


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 5.0) -> None:
    """Waits until the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.02)


def message(text: str = "Hello", *, stream: bool = False, model: str = MODEL, **more: Any) -> dict[str, Any]:
    """The body of a request to the Messages API."""
    turns = [{"role": "user", "content": text}]
    return {"model": model, "max_tokens": 64, "stream": stream, "messages": turns, **more}


def environment(dsn: str, upstream_url: str, **more: str) -> dict[str, str]:
    """The environment of a development service."""
    return {
        "CROUTER_ENVIRONMENT": "development",
        "CROUTER_LISTEN": "127.0.0.1:0",
        "DATABASE_URL": dsn,
        "ANTHROPIC_API_KEY": UPSTREAM_KEY,
        "CROUTER_UPSTREAM_URL": upstream_url,
        "CROUTER_SEALING_KEYS": SEALING_KEYS,
        "CROUTER_LOOKUP_KEYS": LOOKUP_KEYS,
        **more,
    }


@contextlib.asynccontextmanager
async def serving(
    deployment: Deployment, dsn: str, generated: Path, *, show_dashboard: bool = False, **environ: str
) -> AsyncIterator[Service]:
    """A service with its upstream, an account with credit and a key, until the block ends."""
    simulator = Simulator(UPSTREAM_KEY, pace_s=0.0, record=True)
    async with contextlib.AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(simulator.serving())
        environ.setdefault("CROUTER_JOURNAL", stack.enter_context(tempfile.TemporaryDirectory()))
        settings = read_settings(deployment, environment(dsn, upstream, **environ))
        database = Database(settings.store, deployment.database_schema)
        await database.open()
        stack.push_async_callback(database.close)
        accounts, keys = Accounts(deployment, database), KeyStore(deployment, database, settings.store)
        account = await accounts.create("ada@example.org", "Ada")
        await accounts.credit(account, CREDIT_NANOUSD)
        new = await keys.create(account)
        if show_dashboard:
            environ["CROUTER_DEVELOPMENT_ACCOUNT"] = str(account)
            settings = read_settings(deployment, environment(dsn, upstream, **environ))
        out, metrics = io.StringIO(), Metrics(deployment.metrics)
        log = service_log(deployment, out, metrics, strict=True)
        service = await stack.enter_async_context(
            running(deployment, settings, generated, log, metrics, grace_seconds=5)
        )
        yield Service(
            url=service.url,
            key=new.key.reveal(),
            key_id=new.id,
            account=account,
            dsn=dsn,
            simulator=simulator,
            running=service,
            keys=keys,
            accounts=accounts,
            out=out,
        )
