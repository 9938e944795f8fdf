"""The service process: hardened, quiet, stopped by SIGTERM or SIGINT."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import uvloop

from crouter.contract.deployment import Deployment
from crouter.contract.version import ContractMismatchError, require_contract
from crouter.runtime.accounting import JournalUnusableError
from crouter.runtime.database.migrations import Origin, check_database
from crouter.runtime.egress import EgressRefusedError
from crouter.runtime.log_capture import captured, loop_exception_handler
from crouter.runtime.logs import Log
from crouter.runtime.manifest import StaleGeneratedError, require_manifest
from crouter.runtime.metrics import Metrics
from crouter.runtime.policy_history import HistoryUnreadableError
from crouter.runtime.process import HardeningError, harden_process
from crouter.runtime.running import running, service_log
from crouter.runtime.sealing import UnsupportedMeasureError
from crouter.runtime.server.pages import MissingDocumentError
from crouter.runtime.server.protocol import SlowParserError
from crouter.runtime.settings import Settings, SettingsError, read_settings
from crouter.runtime.usage import UnfilledColumnError
from crouter.runtime.words import kind_of

MIGRATIONS: Final = Path("database", "migrations")


class UnfitDatabaseError(Exception):
    """The database is not one for this service; the message says what to do."""


# What can be wrong before the first request; each says what to do in words of ours.
_REFUSALS: Final = (
    ContractMismatchError,
    EgressRefusedError,
    HardeningError,
    MissingDocumentError,
    HistoryUnreadableError,
    JournalUnusableError,
    SettingsError,
    SlowParserError,
    StaleGeneratedError,
    UnfilledColumnError,
    UnfitDatabaseError,
    UnsupportedMeasureError,
)


def serve(deployment: Deployment, generated: Path, environ: Mapping[str, str] | None = None) -> int:
    """Runs the service until it is told to stop. Gives the exit status: 0 stopped, 1 could not start.

    `environ` is the process's environment unless it is given.
    """
    metrics = Metrics(deployment.metrics)
    log = service_log(deployment, sys.stdout, metrics)
    try:
        require_contract(deployment.contract)
        settings = read_settings(deployment, os.environ if environ is None else environ)
        require_manifest(deployment, generated)
        harden_process()
        with captured(log), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(deployment, settings, generated, log, metrics))
    except _REFUSALS as refusal:
        sys.stderr.write(f"crouter: {refusal}\n")
        return 1
    except OSError as error:
        # Its text may hold an address; the operator's own setting is what there is to look at.
        sys.stderr.write(f"crouter: the service could not listen or start ({kind_of(error)}): see CROUTER_LISTEN\n")
        return 1
    return 0


async def _serve(deployment: Deployment, settings: Settings, generated: Path, log: Log, metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(loop_exception_handler(log))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await _require_database(deployment, settings, generated, log)
    with log.buffered(loop.call_later):
        await _serve_until(stop, deployment, settings, generated, log, metrics)
    log.info("stopped")


async def _serve_until(
    stop: asyncio.Event, deployment: Deployment, settings: Settings, generated: Path, log: Log, metrics: Metrics
) -> None:
    async with running(deployment, settings, generated, log, metrics) as service:
        log.info("started")
        sys.stderr.write(f"crouter: {deployment.identity.name} answers on {service.url}\n")
        # What is there by now stays: no collection of garbage needs to walk through it again.
        gc.collect()
        gc.freeze()
        await stop.wait()
        log.info("stopping")


async def _require_database(deployment: Deployment, settings: Settings, generated: Path, log: Log) -> None:
    """Raises UnfitDatabaseError for a database of another contract or version. One that is away may come back."""
    url = settings.store.database_url.reveal()
    check = await asyncio.to_thread(check_database, url, generated / MIGRATIONS, Origin.of(deployment))
    if check.state == "unreachable":
        log.warning("database_away")
        sys.stderr.write(f"crouter: {check.sentence}; requests are answered with 503 until then\n")
    elif check.state != "in_step":
        raise UnfitDatabaseError(check.sentence)
