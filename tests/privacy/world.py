"""One service process with everything around it: upstream, database, customers, and what a client sees of it."""

import asyncio
import contextlib
import json
import signal
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from crouter.contract.deployment import Deployment
from crouter.runtime.administration import administration
from crouter.runtime.settings import read_store_settings
from crouter.simulator import Simulator
from crouter.simulator.script import Scripted
from tests.behaviour.service import CREDIT_NANOUSD, UPSTREAM_KEY, environment
from tests.privacy.canaries import Canaries
from tests.privacy.connections import ConnectionRecorder
from tests.privacy.content import Plant, request_body, request_headers
from tests.privacy.sandbox import Sandbox, ServiceProcess

GENERATED_SERVICE = ("-m", "generated.service")
PLANTED_SERVICE = ("-m", "tests.privacy.planted_service")


CUSTOMERS = (("Ada", CREDIT_NANOUSD), ("Poor", 0), ("Busy", CREDIT_NANOUSD), ("Other", CREDIT_NANOUSD))


@dataclass(frozen=True)
class Seen:
    """An answer as a client has it; `whole` is False where the connection broke off."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool = True

    @property
    def ours(self) -> bool:
        """Whether the service gave this answer itself: then both ids are one."""
        ids = [value for name, value in self.headers if name.lower() in ("request-id", "x-crouter-request-id")]
        return len(ids) == 2 and len(set(ids)) == 1


@dataclass
class World:
    """What scenarios work with. `answers` holds every answer, by scenario."""

    canaries: Canaries
    simulator: Simulator
    process: ServiceProcess
    dsn: str
    key: str
    poor_key: str
    busy_key: str
    other_key: str
    address: str
    session: aiohttp.ClientSession
    recorder: ConnectionRecorder
    answers: list[tuple[str, Seen]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.process.url

    def planting(self, scenario: str) -> Plant:
        """Makes canaries whose positions are named after a scenario."""
        return lambda position: self.canaries.plant(f"{scenario}/{position}")

    def headers(self, scenario: str) -> dict[str, str]:
        """All headers of a request in a scenario but the key."""
        plant = self.planting(scenario)
        return {"anthropic-version": "2023-06-01", **request_headers(plant, self.address)}

    async def ask(
        self,
        scenario: str,
        body: bytes | Mapping[str, Any] | None = None,
        *,
        method: str = "POST",
        path: str = "/v1/messages",
        auth: Mapping[str, str] | None = None,
        reply: Scripted | None = None,
    ) -> Seen:
        """Sends one request with canaries in all its headers and its query; `reply` is the upstream's answer to it."""
        if reply is not None:
            self.simulator.script(next=reply)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = self.headers(scenario) | dict({"x-api-key": self.key} if auth is None else auth)
        address = f"{self.url}{path}?beta=true&note={self.canaries.plant(f'{scenario}/query')}"
        async with self.session.request(method, address, data=data, headers=headers, allow_redirects=False) as answer:
            seen = await _read(answer)
        self.answers.append((scenario, seen))
        return seen

    async def message(self, scenario: str, reply: Scripted | None = None, words: str = "", **more: Any) -> Seen:
        """Asks for a message with canaries in all contents."""
        return await self.ask(scenario, request_body(self.planting(scenario), words=words, **more), reply=reply)

    @contextlib.asynccontextmanager
    async def open_stream(self, scenario: str, reply: Scripted) -> AsyncIterator[aiohttp.ClientResponse]:
        """A stream of which the first event has arrived; it is broken off when the block ends."""
        self.simulator.script(next=reply)
        body = request_body(self.planting(scenario), stream=True)
        headers = self.headers(scenario) | {"x-api-key": self.key}
        async with self.session.post(f"{self.url}/v1/messages", json=body, headers=headers) as answer:
            assert answer.status == 200
            await answer.content.readuntil(b"\n\n")
            yield answer
            answer.close()

    async def reconnect(self) -> None:
        """Ends all connections to the service that were kept open."""
        await self.session.close()
        self.session = _session()

    async def raw(self, data: bytes, *, answer_seconds: float = 1.0) -> bytes:
        """Sends bytes on a connection of their own and gives what comes back until it ends or falls silent."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        received = b""
        try:
            writer.write(data)
            await writer.drain()
            async with asyncio.timeout(answer_seconds):
                while piece := await reader.read(65536):
                    received += piece
                    if received.endswith(b"}"):
                        break
        except (TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
        return received

    async def metrics(self) -> bytes:
        """The counters, as they are collected."""
        async with self.session.get(f"{self.url}/metrics", skip_auto_headers=("User-Agent",)) as answer:
            assert answer.status == 200
            return await answer.read()


@dataclass(frozen=True)
class Customers:
    """Keys of three accounts: with credit, without, and one to use up its rate limit with."""

    key: str
    poor_key: str
    busy_key: str
    other_key: str


async def make_customers(deployment: Deployment, dsn: str) -> Customers:
    """Accounts with one key each in a migrated database."""
    settings = read_store_settings(environment(dsn, ""))
    keys = []
    async with administration(deployment, settings) as office:
        for name, credit in CUSTOMERS:
            account = await office.accounts.create(f"{uuid.uuid4().hex}@example.org", name)
            if credit:
                await office.accounts.credit(account, credit)
            keys.append((await office.keys.create(account)).key.reveal())
    return Customers(*keys)


@contextlib.asynccontextmanager
async def running_world(
    sandbox: Sandbox,
    name: str,
    canaries: Canaries,
    dsn: str,
    customers: Customers,
    simulator: Simulator,
    *command: str,
    **environ: str,
) -> AsyncIterator[World]:
    """A service process named `name` with a client, watched from outside, killed when the block ends."""
    settings = environment(dsn, simulator.url, **environ)
    process = await ServiceProcess.start(sandbox, name, settings, *(command or GENERATED_SERVICE))
    try:
        with ConnectionRecorder(process.pid) as recorder:
            world = World(
                canaries=canaries,
                simulator=simulator,
                process=process,
                dsn=dsn,
                key=customers.key,
                poor_key=customers.poor_key,
                busy_key=customers.busy_key,
                other_key=customers.other_key,
                address=canaries.address(f"{name}/address"),
                session=_session(),
                recorder=recorder,
            )
            try:
                yield world
            finally:
                await world.session.close()
    finally:
        await process.kill()


def watch_secrets(canaries: Canaries, customers: Customers) -> None:
    """Searches for keys, too: the customers' and the operator's."""
    canaries.watch("the customer's key", customers.key)
    canaries.watch("another customer's key", customers.busy_key)
    canaries.watch("a fourth customer's key", customers.other_key)
    canaries.watch("the upstream's key", UPSTREAM_KEY)


async def end_in_a_stream(world: World, scenario: str, reply: Scripted, number: signal.Signals) -> int:
    """Sends the process a signal while a stream is under way; gives the exit status."""
    async with world.open_stream(scenario, reply):
        return await world.process.end(number)


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(auto_decompress=False)


async def _read(answer: aiohttp.ClientResponse) -> Seen:
    received = bytearray()
    whole = True
    try:
        async for piece in answer.content.iter_any():
            received += piece
    except aiohttp.ClientPayloadError:
        whole = False
    return Seen(answer.status, tuple(answer.headers.items()), bytes(received), whole)
