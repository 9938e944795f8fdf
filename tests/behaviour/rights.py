"""What tests of rights work with: jobs with a clock of the test's own, people, and pages of whoever is signed in."""

import io
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.pool import Database
from crouter.runtime.erasure.processors import ErasureFailedError
from crouter.runtime.jobs.job import JobContext
from crouter.runtime.logs import Log
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.rights import Rights, rights_of
from crouter.runtime.settings import StoreSettings, read_store_settings
from tests.behaviour.service import Service, environment

OWN = {"sec-fetch-site": "same-origin"}


@dataclass
class Office:
    """The jobs' side of a service: the same stores, and a clock that the test sets."""

    deployment: Deployment
    store: StoreSettings
    database: Database
    context: JobContext
    rights: Rights
    out: io.StringIO
    dsn: str
    clock: list[datetime]
    stopped: list[bool] = field(default_factory=list)

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier("crouter", table))).fetchall()


@asynccontextmanager
async def office(
    deployment: Deployment, generated: Path, dsn: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Office]:
    """Opens it on a migrated database until the block ends."""
    told = environment(dsn, "http://127.0.0.1:1", **dict(environ or {}))
    store, out, stopped = read_store_settings(told), io.StringIO(), list[bool]()
    clock = [datetime.now(UTC)]
    (stream,) = (stream for stream in deployment.logs if stream.name == "retention")
    database = Database(store, deployment.database_schema)
    await database.open()
    rights = rights_of(deployment, database, store)
    assert rights is not None
    context = JobContext(
        deployment=deployment,
        generated=generated,
        environ=told,
        database=database,
        reader=PurposeReader(deployment, database),
        outbox=Outbox(deployment),
        log=Log(stream, out, strict=True),
        now=lambda: clock[0],
        stopped=lambda: bool(stopped),
    )
    try:
        yield Office(deployment, store, database, context, rights, out, dsn, clock, stopped)
    finally:
        await database.close()


class StandIn:
    """A processor that holds copies, and can be down. What it holds is all that it was ever told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held: set[str] = set()
        self.is_down = False
        self.asked = 0

    async def erase(self, pointer: str) -> None:
        self.asked += 1
        if self.is_down:
            raise ErasureFailedError("status_500")
        self.held.discard(pointer)


@dataclass
class Person:
    """Somebody who is signed in at a service."""

    service: Service
    http: aiohttp.ClientSession
    cookie: str

    @property
    def headers(self) -> dict[str, str]:
        return OWN | {"cookie": self.cookie}

    async def page(self, path: str) -> str:
        async with self.http.get(f"{self.service.url}{path}", headers=self.headers) as answer:
            assert answer.status == 200, answer.status
            return await answer.text()

    async def send(self, path: str, **fields: str) -> tuple[int, str, bytes]:
        """Sends a form of a page; status, where it leads, and the body."""
        token = re.search(r'name="form_token" value="([^"]+)"', await self.page("/account/privacy"))
        assert token is not None
        data = {"form_token": token[1], **fields}
        async with self.http.post(
            f"{self.service.url}{path}", data=data, headers=self.headers, allow_redirects=False
        ) as answer:
            return answer.status, answer.headers.get("location", ""), await answer.read()


async def signed_in(service: Service, http: aiohttp.ClientSession) -> Person:
    """The development account, signed in."""
    async with http.post(f"{service.url}/sign-in", data={}, headers=OWN, allow_redirects=False) as answer:
        assert answer.status == 303
        cookie = answer.headers["set-cookie"].partition(";")[0]
    return Person(service, http, cookie)


async def make_account(office_: Office, email: str, name: str) -> uuid.UUID:
    """An account, as the sign-in makes it."""
    return await Accounts(office_.deployment, office_.database).create(email, name)
