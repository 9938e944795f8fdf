"""One development run: starts everything in its order, serves, and stops everything in the opposite order.

Every step can be repeated, so a run that was killed anywhere is simply followed by the next one.
"""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TextIO

import uvloop

from crouter.contract.deployment import Deployment
from crouter.contract.version import require_contract
from crouter.development.address import joined, listen_address, require_free, unusable
from crouter.development.customer import Customer, ensure_customer
from crouter.development.errors import DevelopmentError
from crouter.development.secrets import ensure_secrets
from crouter.development.state_folder import DevelopmentFacts, StateFolder
from crouter.development.stopping import Stop
from crouter.development.upstream import Upstream, upstream
from crouter.development.worker import Worker, worker
from crouter.embedded import Cluster, PostgresBinaries, RunningCluster
from crouter.runtime.administration import administration
from crouter.runtime.database.migrations import Origin, Step, migrate
from crouter.runtime.database.pool import Database
from crouter.runtime.erasure.before_traffic import remember_once
from crouter.runtime.erasure.settings import PATH as TOMBSTONES
from crouter.runtime.log_capture import captured, loop_exception_handler
from crouter.runtime.manifest import require_manifest
from crouter.runtime.metrics import Metrics
from crouter.runtime.process import harden_process
from crouter.runtime.rights import rights_of
from crouter.runtime.running import running, service_log
from crouter.runtime.settings import read_settings, read_store_settings

DATABASE: Final = "crouter"
LISTEN: Final = "CROUTER_LISTEN"
MIGRATIONS: Final = Path("database", "migrations")
_GRACE_SECONDS: Final = 2.0
_WATCH_SECONDS: Final = 1.0


class Report(Protocol):
    """Is told how a run goes on."""

    def step(self, sentence: str) -> None:
        """Something begins that may take a moment."""

    def migrated(self, step: Step) -> None:
        """A migration was applied."""

    def ready(self, facts: DevelopmentFacts, balance_nanousd: int) -> None:
        """The service answers."""

    def stopping(self) -> None:
        """The end was asked for."""


class _StopRequestedError(Exception):
    """The end was asked for before the service answered."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a run is made of. `generated` is the folder that `deployment` was loaded from."""

    deployment: Deployment
    generated: Path
    folder: StateFolder
    environ: Mapping[str, str]
    log: TextIO
    report: Report
    port: int | None = None

    def run(self) -> None:
        """Serve until a signal asks for the end.

        Changes the whole process: signals, core dumps, loggers. Raises DevelopmentError, ClusterError,
        MigrationsRefusedError, MigrationFailedError, DatabaseError, SettingsError, and what a deployment is refused
        with; then nothing is left running.
        """
        require_contract(self.deployment.contract)
        require_manifest(self.deployment, self.generated)
        self.folder.make()
        with self.folder.held():
            host, port = listen_address(self.environ.get(LISTEN, ""), self.port)
            require_free(host, port)
            harden_process()
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._until_stopped(host, port))

    async def _until_stopped(self, host: str, port: int) -> None:
        stop = Stop()
        stop.listen()
        try:
            async with AsyncExitStack() as stack:
                await self._serve(stack, stop, host, port)
        except Exception:
            # Ctrl-C reaches our children too: what it broke in them is no failure.
            if not stop.requested:
                raise

    async def _serve(self, stack: AsyncExitStack, stop: Stop, host: str, port: int) -> None:
        store = ensure_secrets(self.folder)
        self.report.step("Starting PostgreSQL")
        server = await self._start_database(stack, stop)
        store["DATABASE_URL"] = await asyncio.to_thread(server.ensure_database, DATABASE)
        self.report.step("Applying migrations")
        await asyncio.to_thread(self._migrate, store["DATABASE_URL"])
        await self._remember_deletions(store)
        customer = await self._ensure_customer(stop, store)
        source = await stack.enter_async_context(upstream(self.environ))
        given = self._settings(joined(host, port), store, customer, source)
        url = await self._start_service(stack, given)
        working = await stack.enter_async_context(worker(self.deployment, self.generated, self.folder, given))
        if stop.requested:
            return
        facts = DevelopmentFacts(
            url=url,
            api_key=customer.api_key,
            dashboard_url=f"{url}/dashboard",
            database_url=store["DATABASE_URL"],
            upstream=source.name,
            upstream_url=source.settings.get("CROUTER_UPSTREAM_URL", ""),
            pid=os.getpid(),
        )
        self.folder.write_facts(facts)
        self.report.ready(facts, customer.balance_nanousd)
        await self._watch(stop, server, working)
        self.report.stopping()

    async def _start_database(self, stack: AsyncExitStack, stop: Stop) -> RunningCluster:
        cluster = Cluster(self.folder.postgres, PostgresBinaries.embedded())
        # In a thread, and waited for whatever happens: a server that has started is always stopped.
        server = await asyncio.to_thread(cluster.start)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        _go_on(stop)
        return server

    def _migrate(self, database_url: str) -> None:
        migrate(
            database_url,
            self.generated / MIGRATIONS,
            Origin.of(self.deployment),
            plain_postgres=True,
            progress=self.report.migrated,
        )

    async def _remember_deletions(self, store: dict[str, str]) -> None:
        """As the service does before it takes traffic; a run from before there were tombstones gets its file."""
        store[TOMBSTONES] = str(self.folder.tombstones_file)
        settings = read_store_settings(store)
        database = Database(settings, self.deployment.database_schema)
        await database.open()
        try:
            rights = rights_of(self.deployment, database, settings)
            if rights is not None and rights.tombstones is not None:
                await asyncio.to_thread(rights.tombstones.begin)
                await remember_once(self.deployment, database, settings)
        finally:
            await database.close()

    async def _ensure_customer(self, stop: Stop, store: Mapping[str, str]) -> Customer:
        _go_on(stop)
        async with administration(self.deployment, read_store_settings(store)) as stores:
            return await ensure_customer(stores)

    def _settings(
        self, listen: str, store: Mapping[str, str], customer: Customer, source: Upstream
    ) -> Mapping[str, str]:
        """Settings of our own only: nothing that production has in the environment counts."""
        given = {
            "CROUTER_ENVIRONMENT": "development",
            LISTEN: listen,
            "CROUTER_DEVELOPMENT_ACCOUNT": str(customer.account),
            "CROUTER_JOURNAL": str(self.folder.journal),
            "CROUTER_MAIL_FOLDER": str(self.folder.mail),
        }
        return {**store, **source.settings, **given}

    async def _start_service(self, stack: AsyncExitStack, given: Mapping[str, str]) -> str:
        settings = read_settings(self.deployment, given)
        metrics = Metrics(self.deployment.metrics)
        log = service_log(self.deployment, self.log, metrics)
        stack.enter_context(captured(log))
        asyncio.get_running_loop().set_exception_handler(loop_exception_handler(log))
        serving = running(self.deployment, settings, self.generated, log, metrics, grace_seconds=_GRACE_SECONDS)
        try:
            service = await stack.enter_async_context(serving)
        except OSError as problem:
            raise unusable(settings.host, settings.port, problem) from None
        return service.url

    async def _watch(self, stop: Stop, server: RunningCluster, working: Worker) -> None:
        while not await stop.wait(_WATCH_SECONDS):
            if not server.running:
                raise DevelopmentError(
                    "PostgreSQL has ended by itself, so everything was stopped",
                    f"its last words are in {self.folder.postgres}.log; the data is safe, start again",
                )
            working.require_running()


def _go_on(stop: Stop) -> None:
    if stop.requested:
        raise _StopRequestedError
