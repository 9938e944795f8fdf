"""The service process: hardened, quiet, stopped by SIGTERM or SIGINT; alone, or one of several below a supervisor."""

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop

from crouter.contract.deployment import Deployment
from crouter.contract.version import ContractMismatchError, require_contract
from crouter.runtime.accounting import JournalUnusableError
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.migrations import Origin, check_database
from crouter.runtime.database.pool import Database
from crouter.runtime.egress import EgressRefusedError
from crouter.runtime.environment import SettingsError
from crouter.runtime.erasure.before_traffic import remembered_before_traffic
from crouter.runtime.erasure.tombstones import TombstonesUnusableError
from crouter.runtime.log_capture import captured, loop_exception_handler
from crouter.runtime.logs import Log
from crouter.runtime.manifest import StaleGeneratedError, require_manifest
from crouter.runtime.metrics import Metrics
from crouter.runtime.policy_history import HistoryUnreadableError
from crouter.runtime.process import HardeningError, harden_process
from crouter.runtime.publishing.require import UnannouncedVersionError, require_announced
from crouter.runtime.retention.options import RetentionRefusedError
from crouter.runtime.running import GRACE_SECONDS, running, service_log
from crouter.runtime.sealing import UnsupportedMeasureError
from crouter.runtime.server.pages import MissingDocumentError
from crouter.runtime.server.protocol import SlowParserError
from crouter.runtime.settings import Settings, read_settings
from crouter.runtime.supervision.activation import (
    READY,
    STOPPING,
    ActivationError,
    end_with_supervisor,
    inherited_socket,
    is_managed,
    tell_manager,
)
from crouter.runtime.supervision.counts import SharedCounts
from crouter.runtime.supervision.listeners import open_listeners
from crouter.runtime.supervision.shared_limits import SharedLimits
from crouter.runtime.supervision.supervisor import Supervisor
from crouter.runtime.tls import CertificateError
from crouter.runtime.usage_columns import UnfilledColumnError
from crouter.runtime.words import kind_of

MIGRATIONS: Final = Path("database", "migrations")
EDGE_WORKER: Final = Path("edge", "worker.js")


class UnfitDatabaseError(Exception):
    """The database is not one for this service; the message says what to do."""


# What can be wrong before the first request; each says what to do in words of ours.
_REFUSALS: Final = (
    ActivationError,
    CertificateError,
    ContractMismatchError,
    EgressRefusedError,
    HardeningError,
    MissingDocumentError,
    HistoryUnreadableError,
    JournalUnusableError,
    SettingsError,
    SlowParserError,
    RetentionRefusedError,
    StaleGeneratedError,
    TombstonesUnusableError,
    UnannouncedVersionError,
    UnfilledColumnError,
    UnfitDatabaseError,
    UnsupportedMeasureError,
)


def serve(deployment: Deployment, generated: Path, environ: Mapping[str, str] | None = None) -> int:
    """Runs the service until it is told to stop. Gives the exit status: 0 stopped, 1 could not start.

    `environ` is the process's environment unless it is given. With CROUTER_PROCESSES this process supervises others,
    which run the same command.
    """
    environ = os.environ if environ is None else environ
    counts = SharedCounts.found(environ)
    metrics = Metrics(deployment.metrics, counts)
    log = service_log(deployment, sys.stdout, metrics)
    try:
        require_contract(deployment.contract)
        settings = read_settings(deployment, environ)
        require_manifest(deployment, generated)
        _require_edge(settings, generated)
        harden_process()
        end_with_supervisor(environ)
        listener = inherited_socket(environ, os.getpid())
        if listener is None and settings.processes is not None:
            with captured(log):
                # uvloop keeps the signal of ended children to itself.
                return asyncio.run(_supervise(deployment, settings, settings.processes, environ, log))
        with captured(log), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            service = _Service(deployment, settings, generated, log, metrics, counts, environ, listener)
            runner.run(service.run())
    except _REFUSALS as refusal:
        sys.stderr.write(f"crouter: {refusal}\n")
        return 1
    except OSError as error:
        # Its text may hold an address; the operator's own setting is what there is to look at.
        sys.stderr.write(f"crouter: the service could not listen or start ({kind_of(error)}): see CROUTER_LISTEN\n")
        return 1
    return 0


@dataclass(frozen=True, slots=True)
class _Service:
    """One serving process."""

    deployment: Deployment
    settings: Settings
    generated: Path
    log: Log
    metrics: Metrics
    counts: SharedCounts | None
    environ: Mapping[str, str]
    listener: socket.socket | None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(loop_exception_handler(self.log))
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        # What a terminal that closes sends, and a reload of who supervises: nothing to stop for.
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        deployment, log = self.deployment, self.log
        await _require_database(deployment, self.settings, self.generated, log)
        if not await remembered_before_traffic(deployment, self.settings.store, log, stop):
            return
        if self.settings.production:
            await _require_announced(deployment, self.settings, self.generated, log)
        with log.buffered(loop.call_later):
            await self._serve_until(stop)
        log.info("stopped")

    async def _serve_until(self, stop: asyncio.Event) -> None:
        deployment, log = self.deployment, self.log
        limits = SharedLimits.found(self.environ, deployment.proxy.limits)
        async with running(
            deployment, self.settings, self.generated, log, self.metrics, inherited=self.listener, limits=limits
        ) as service:
            log.info("started")
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, service.renew_certificate)
            if not is_managed(self.environ):
                sys.stderr.write(f"crouter: {deployment.identity.name} answers on {service.url}\n")
            tell_manager(self.environ, READY)
            # What is there by now stays: no collection of garbage needs to walk through it again.
            gc.collect()
            gc.freeze()
            await self._until(stop)
            tell_manager(self.environ, STOPPING)
            log.info("stopping")

    async def _until(self, stop: asyncio.Event) -> None:
        if self.counts is None:
            await stop.wait()
            return
        telling = asyncio.create_task(self.counts.keep(self.metrics))
        await stop.wait()
        telling.cancel()
        await asyncio.wait((telling,))


async def _supervise(
    deployment: Deployment, settings: Settings, count: int, environ: Mapping[str, str], log: Log
) -> int:
    asyncio.get_running_loop().set_exception_handler(loop_exception_handler(log))
    listeners = open_listeners(settings.host, settings.port, count)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    port = listeners[0].getsockname()[1]

    def tell_ready() -> None:
        scheme = "http" if settings.tls is None else "https"
        sys.stderr.write(f"crouter: {deployment.identity.name} answers on {scheme}://{host}:{port}\n")
        tell_manager(environ, READY)

    # The same command once more, with its options; `orig_argv` is what the interpreter was given.
    command = (sys.executable, *sys.orig_argv[1:])
    # Handlers have their grace twice in aiohttp, and records theirs.
    supervisor = Supervisor(listeners, command, environ, log, stop_seconds=4 * GRACE_SECONDS, ready=tell_ready)
    try:
        return await supervisor.run()
    finally:
        for listener in listeners:
            listener.close()


def _require_edge(settings: Settings, generated: Path) -> None:
    """Raises SettingsError where the policy says that requests come through an edge, and nothing would see to it."""
    if settings.production and settings.edge_secret is None and (generated / EDGE_WORKER).is_file():
        raise SettingsError(("CROUTER_EDGE_SECRET: not set, and policy.yaml says that an edge stands in front",))


async def _require_database(deployment: Deployment, settings: Settings, generated: Path, log: Log) -> None:
    """Raises UnfitDatabaseError for a database of another contract or version. One that is away may come back."""
    url = settings.store.database_url.reveal()
    check = await asyncio.to_thread(check_database, url, generated / MIGRATIONS, Origin.of(deployment))
    if check.state == "unreachable":
        log.warning("database_away")
        sys.stderr.write(f"crouter: {check.sentence}; requests are answered with 503 until then\n")
    elif check.state != "in_step":
        raise UnfitDatabaseError(check.sentence)


async def _require_announced(deployment: Deployment, settings: Settings, generated: Path, log: Log) -> None:
    """Raises UnannouncedVersionError. With the database away nothing is known, and a service is not kept from it."""
    database = Database(settings.store, deployment.database_schema)
    await database.open()
    try:
        await require_announced(deployment, generated, database, datetime.now(UTC))
    except DatabaseError:
        log.warning("notice_unknown")
    finally:
        await database.close()
