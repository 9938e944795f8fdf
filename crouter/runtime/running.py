"""Puts the parts of a service together and runs them in the current event loop, until the block ends.

For the service process, the development runner and tests alike. Nothing of the process itself is changed
here; that is `crouter.runtime.serve`.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from crouter.contract.deployment import Deployment
from crouter.runtime.accounting import accounting
from crouter.runtime.credit.credit import Credit
from crouter.runtime.database.pool import Database
from crouter.runtime.egress import Egress
from crouter.runtime.ending import end_task
from crouter.runtime.heartbeat import Heartbeat, watch
from crouter.runtime.key_listener import listen_for_keys
from crouter.runtime.key_lookup import KeyLookup, StoredKeys
from crouter.runtime.limits import Admitting, RateLimits
from crouter.runtime.logs import Log
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.metrics import Metrics
from crouter.runtime.payments.payments import Payments, open_payments
from crouter.runtime.pricing.book import PriceBook, shipped_price_book
from crouter.runtime.proxy.overload import Admission as Places
from crouter.runtime.proxy.upstream_keys import UpstreamKeys
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.sealing import KeyedHasher, require_measures
from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.listening import listening
from crouter.runtime.server.site.session_visitors import visitors_of
from crouter.runtime.settings import Settings
from crouter.runtime.upstream_health import show_upstream_keys

SERVICE_LOG: Final = "service"
GRACE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers at `url`."""

    url: str
    parts: Parts


def service_log(deployment: Deployment, out: TextIO, metrics: Metrics, *, strict: bool = False) -> Log:
    """The service's declared log stream. Raises KeyError when the policy declares none."""
    streams = {stream.name: stream for stream in deployment.logs}

    def dropped(stream: str) -> None:
        metrics.count("crouter_log_fields_dropped_total", stream=stream)

    return Log(streams[SERVICE_LOG], out, dropped=dropped, strict=strict)


@asynccontextmanager
async def running(
    deployment: Deployment,
    settings: Settings,
    generated: Path,
    log: Log,
    metrics: Metrics,
    *,
    prices: PriceBook | None = None,
    grace_seconds: float = GRACE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    inherited: socket.socket | None = None,
    limits: Admitting | None = None,
) -> AsyncIterator[Running]:
    """Serves until the block ends; then answers under way have `grace_seconds` to finish.

    `inherited` is a socket that listens already; otherwise one is opened at the address of the settings.
    `limits` are those that several processes share; otherwise this one has its own.

    Raises UnfilledColumnError, JournalUnusableError, UnsupportedMeasureError, MissingDocumentError,
    HistoryUnreadableError, EgressRefusedError, OSError when the declarations or the address cannot be used.
    """
    require_measures(deployment.security)
    async with AsyncExitStack() as stack:
        database = Database(settings.store, deployment.database_schema)
        await database.open()
        stack.push_async_callback(database.close)
        # Unwound from below: first no more requests, then their records, then the database.
        books = await stack.enter_async_context(
            accounting(deployment, settings, database, log, metrics, grace_seconds=grace_seconds)
        )
        lookup = KeyLookup(
            StoredKeys(deployment, database), KeyedHasher(settings.store.lookup), now=lambda: datetime.now(UTC)
        )
        stack.push_async_callback(end_task, asyncio.create_task(listen_for_keys(database, lookup, log)))
        keys = UpstreamKeys(settings.upstream_keys, time.monotonic)
        show_upstream_keys(metrics, keys)
        heartbeat = Heartbeat(deployment, datetime.now(UTC))
        stack.push_async_callback(end_task, asyncio.create_task(watch(heartbeat, database, log, metrics)))
        egress = Egress(deployment, settings, lambda processor: log.error("egress_refused", route=processor))
        upstream = deployment.proxy.upstream
        reader, outbox = PurposeReader(deployment, database), Outbox(deployment)
        payments = await stack.enter_async_context(
            _payments(deployment, settings, database, reader=reader, outbox=outbox, credit=books.credit)
        )
        parts = Parts(
            deployment=deployment,
            settings=settings,
            generated=generated,
            database=database,
            lookup=lookup,
            limits=limits or RateLimits(deployment.proxy.limits, clock),
            credit=books.credit,
            reader=reader,
            outbox=outbox,
            channel=await stack.enter_async_context(egress.open_content(upstream, settings.upstream_url)),
            keys=keys,
            places=Places(settings.requests_max, settings.account_requests_max),
            settling=books.settling,
            prices=prices or shipped_price_book(),
            log=log,
            metrics=metrics,
            heartbeat=heartbeat,
            payments=payments,
            visitors=visitors_of(deployment, database, settings.identity),
        )
        url = await stack.enter_async_context(listening(parts, grace_seconds, inherited))
        yield Running(url, parts)


@asynccontextmanager
async def _payments(
    deployment: Deployment,
    settings: Settings,
    database: Database,
    *,
    reader: PurposeReader,
    outbox: Outbox,
    credit: Credit,
) -> AsyncIterator[Payments | None]:
    """Payments, where something is for sale."""
    if settings.payments is None:
        yield None
        return
    async with open_payments(
        deployment,
        settings.payments,
        database,
        production=settings.production,
        reader=reader,
        outbox=outbox,
        credit=credit,
    ) as payments:
        yield payments
