"""Delivery from a database of tests to a mail server of tests, with a clock that is set by hand."""

import json
import ssl
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from crouter.runtime.mail.delivery import Connect, Delivery
from crouter.runtime.mail.rendering import Rendering
from crouter.runtime.mail.settings import MailServer, Tls
from crouter.runtime.mail.smtp import connected
from crouter.runtime.mail.waiting import WaitingMails
from crouter.runtime.secret import Secret
from tests.unit.runtime.jobs.jobs import Worker, worker
from tests.unit.runtime.retention.databases import Declared, TestDatabase

RECEIPT = {"amount": 25 * 10**9, "balance": 26 * 10**9, "day": date(2026, 11, 23)}
SENDER = "mail@crouter.dev"


@dataclass
class Post:
    """A post office: one node that sends, and what it says and sees."""

    node: Worker
    declared: Declared
    database: TestDatabase
    connect: Connect
    now: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(seconds=30))

    def delivery(self, connect: Connect | None = None) -> Delivery:
        context = self.node.context
        assert context.deployment.mail is not None

        async def no_pause(seconds: float) -> None:
            pass

        return Delivery(
            mail=context.deployment.mail,
            name=context.deployment.identity.name,
            sender=SENDER,
            waiting=WaitingMails(context.deployment, context.database),
            reader=context.reader,
            rendering=Rendering(context.deployment, self.declared.folder),
            connect=connect or self.connect,
            log=context.log,
            now=lambda: self.now,
            per_minute=6000,
            sleep=no_pause,
        )

    async def enqueue(
        self, account: uuid.UUID, template: str = "receipt", values: Mapping[str, object] = RECEIPT
    ) -> uuid.UUID:
        async with self.node.context.database.transaction() as connection:
            return await self.node.context.outbox.enqueue(connection, account, template, values)

    async def send(self) -> int:
        return await self.delivery().run()

    def pass_time(self, **units: float) -> None:
        self.now += timedelta(**units)

    def states(self) -> list[tuple[Any, ...]]:
        """State, attempts and error of every mail, the first enqueued first."""
        return self.database.execute("SELECT state, attempts, error FROM outbox ORDER BY created_at, id")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.node.out.getvalue().splitlines()]


@asynccontextmanager
async def post(
    declared: Declared,
    database: TestDatabase,
    port: int,
    tls: Tls = "none",
    context: ssl.SSLContext | None = None,
    *,
    login: tuple[str, str] = ("", ""),
    timeout_seconds: float = 10,
) -> AsyncIterator[Post]:
    """Delivery to the server on that port of this machine."""
    server = MailServer("localhost", port, tls, login[0], Secret(login[1]))
    trusted = context or ssl.create_default_context()
    async with worker(declared, database.dsn, []) as node:
        yield Post(node, declared, database, lambda: connected(server, trusted, "crouter.dev", timeout_seconds))
