"""One scenario's world: upstream, database, service, two customers, three journals, and their comparison."""

import asyncio
import contextlib
import itertools
import random
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from crouter.runtime.administration import administration
from crouter.runtime.settings import read_store_settings
from tests.behaviour.service import environment
from tests.torture import answers
from tests.torture.comparison import Comparison, Difference
from tests.torture.ground import Ground
from tests.torture.journals import Headers, Journals, Saw
from tests.torture.service import Service
from tests.torture.store import read_held
from tests.torture.upstream import Plan, Upstream
from tests.torture.wire import Wire, request

CREDIT_NANOUSD = 10**18
SETTLED_SECONDS = 30.0


class DifferError(AssertionError):
    """The journals differ. The message has the scenario, its seed and the broken rules, and no content."""

    def __init__(self, scenario: str, seed: int, differences: tuple[Difference, ...]) -> None:
        shown = [f"  {difference}" for difference in differences[:20]]
        more = [f"  and {len(differences) - 20} more"] if len(differences) > 20 else []
        again = f"replay: python -m tests.torture --scenario {scenario} --seed {seed}"
        super().__init__("\n".join((f"{scenario}, seed {seed}: the journals differ", *shown, *more, again)))
        self.rules = {difference.rule for difference in differences}


@dataclass(frozen=True, slots=True)
class Customer:
    """An account with credit and its key."""

    account: uuid.UUID
    key: str


@dataclass
class World:
    """What a scenario plays with."""

    scenario: str
    seed: int
    long: bool
    ground: Ground
    folder: Path
    database: str
    upstream: Upstream
    service: Service
    ada: Customer
    bob: Customer
    journals: Journals
    environ: dict[str, str]
    chance: random.Random = field(init=False)
    was_killed: bool = False
    _serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        # By name, so that a scenario does the same whether it is played alone or among all.
        self.chance = random.Random(f"{self.scenario} {self.seed}")  # noqa: S311  to be repeated, not to be secret

    def amount(self, short: int, long: int) -> int:
        """How much of something: little in `make test`, much in `make torture`."""
        return long if self.long else short

    def tell(self, what: str) -> None:
        """Progress, for whoever watches the long form."""
        if self.long:
            sys.stdout.write(f"  {self.scenario}: {what}\n")
            sys.stdout.flush()

    def serial(self) -> int:
        return next(self._serials)

    def dsn(self) -> str:
        return self.ground.postgres.dsn(self.database)

    def began(self, customer: Customer | None = None, serial: int | None = None) -> Saw:
        """A new request in the client's journal."""
        saw = Saw(self.serial() if serial is None else serial, (customer or self.ada).account)
        self.journals.saw.append(saw)
        return saw

    async def ask(
        self,
        plan: Plan | None = None,
        *,
        customer: Customer | None = None,
        stream: bool = True,
        port: int | None = None,
        seconds: float = 60.0,
        more: Headers = (),
        **fields: Any,
    ) -> Saw:
        """Sends one ordinary request and reads its answer to the end. Raises OSError when nobody listens."""
        saw = self.began(customer)
        if plan is not None:
            self.upstream.plans[saw.serial] = plan
        wire = await Wire.open(port or self.service.port)
        try:
            await wire.send(self.request(saw, customer, stream=stream, more=more, **fields))
            return await wire.answer(saw, seconds=seconds)
        finally:
            wire.leave()

    def request(
        self, saw: Saw, customer: Customer | None = None, *, stream: bool = True, more: Headers = (), **fields: Any
    ) -> bytes:
        """The bytes of an ordinary request."""
        return request(answers.question(saw.serial, stream=stream, **fields), (customer or self.ada).key, more=more)

    async def kill(self) -> None:
        """Kills the service; what it had in memory only is gone."""
        self.was_killed = True
        for sent in self.journals.sent:
            sent.service_killed = True
        await self.service.kill()
        for sent in self.journals.sent:
            sent.service_killed = True

    def differences(self) -> tuple[Difference, ...]:
        """What differs now. Raises psycopg.Error while the database is away."""
        self.journals.held = read_held(self.dsn(), killed=self.was_killed)
        if self.service.running:
            # What a running process has set aside comes back when it stops.
            self.journals.held = _without_reservations(self.journals)
        return Comparison(self.journals, answers.MODEL).differences()

    async def compare(self, seconds: float | None = None) -> None:
        """Waits until nothing differs: records may be on their way. Raises DifferError."""
        found: tuple[Difference, ...] = (Difference("the database answers"),)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_SECONDS if seconds is None else seconds):
                while found:
                    try:
                        found = await asyncio.to_thread(self.differences)
                    except psycopg.Error:
                        found = (Difference("the database answers"),)
                    if found:
                        await asyncio.sleep(0.1)
        if found:
            raise DifferError(self.scenario, self.seed, found)

    async def finish(self) -> None:
        """Stops the service and compares for the last time, with the balances that operators see."""
        if not self.service.running:
            await self.service.start()
        await self.compare()
        await self.service.stop()
        settings = read_store_settings(self.environ | {"DATABASE_URL": self.dsn()})
        held = read_held(self.dsn(), killed=self.was_killed)
        async with administration(self.ground.deployment, settings) as office:
            for account in self.journals.credited:
                held.balances[account] = await office.accounts.balance(account)
        self.journals.held = held
        found = Comparison(self.journals, answers.MODEL).differences()
        if found:
            raise DifferError(self.scenario, self.seed, found)

    def fails(self, rule: str, detail: str = "") -> DifferError:
        """A broken rule that is not about the journals."""
        return DifferError(self.scenario, self.seed, (Difference(rule, detail=detail),))


def _without_reservations(journals: Journals) -> Any:
    held = journals.held
    return type(held)(held.rows, held.entries, held.balances, 0)


@contextlib.asynccontextmanager
async def staged(ground: Ground, scenario: str, seed: int, *, long: bool, **environ: str) -> AsyncIterator[World]:
    """A world with a running service; everything of it ends with the block."""
    folder = ground.new_folder(scenario)
    database = await asyncio.to_thread(ground.new_database)
    journals = Journals()
    async with Upstream(journals).serving() as upstream:
        journal = folder / "journal"
        journal.mkdir()
        settings = environment(ground.postgres.dsn(database), upstream.url, CROUTER_JOURNAL=str(journal)) | environ
        ada, bob = await _customers(ground, settings, journals)
        service = Service(ground.generated, folder, settings)
        world = World(
            scenario, seed, long, ground, folder, database, upstream, service, ada, bob, journals, settings
        )  # fmt: skip
        try:
            await service.start()
            yield world
        finally:
            await service.kill()


async def _customers(ground: Ground, environ: dict[str, str], journals: Journals) -> list[Customer]:
    customers = []
    async with administration(ground.deployment, read_store_settings(environ)) as office:
        for name in ("Ada", "Bob"):
            account = await office.accounts.create(f"{uuid.uuid4().hex}@example.org", name)
            await office.accounts.credit(account, CREDIT_NANOUSD)
            journals.credited[account] = CREDIT_NANOUSD
            customers.append(Customer(account, (await office.keys.create(account)).key.reveal()))
    return customers
