"""Puts the parts of a service together and runs them in the current event loop, until the block ends.

For the service process, the development runner and tests alike. Nothing of the process itself is changed
here; that is `crouter.runtime.serve`.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from crouter.contract.deployment import Deployment
from crouter.runtime.accounting import Accounting, accounting
from crouter.runtime.credit.credit import Credit
from crouter.runtime.dashboard.live import live_usage
from crouter.runtime.database.pool import Database
from crouter.runtime.egress import ContentChannel, Egress
from crouter.runtime.ending import end_task
from crouter.runtime.fleet.joining import fleet_limits
from crouter.runtime.front.passage import Passage
from crouter.runtime.heartbeat import watching
from crouter.runtime.identity.opening import PROCESSOR as IDENTITY_PROCESSOR
from crouter.runtime.identity.opening import identity_provider
from crouter.runtime.identity.provider import IdentityProvider
from crouter.runtime.key_listener import listen_for_keys
from crouter.runtime.key_lookup import KeyLookup, StoredKeys
from crouter.runtime.limits import Admitting, RateLimits
from crouter.runtime.logs import Log
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.mail.watch import watch_mail
from crouter.runtime.metrics import Metrics
from crouter.runtime.payments.payments import Payments, open_payments
from crouter.runtime.pricing.book import PriceBook, shipped_price_book
from crouter.runtime.proxy.overload import Admission as Places
from crouter.runtime.proxy.upstream_keys import UpstreamKeys
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.reconciliation.job import show_unexplained
from crouter.runtime.requests.watching import Waiting, show_waiting, watch_requests
from crouter.runtime.rights import rights_of
from crouter.runtime.sealing import KeyedHasher, require_measures
from crouter.runtime.server.exchange import Parts
from crouter.runtime.server.listening import listening
from crouter.runtime.server.site.analytics import sending_analytics
from crouter.runtime.server.site.session_visitors import visitors_of
from crouter.runtime.server.site.visitor import Visitors
from crouter.runtime.settings import Settings
from crouter.runtime.unread_batches import bill_unread_batches
from crouter.runtime.upstream_health import show_upstream_keys

SERVICE_LOG: Final = "service"
GRACE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers at `url`. `renew_certificate` takes the files of its certificate anew."""

    url: str
    parts: Parts
    renew_certificate: Callable[[], None]


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
    `limits` are those that several processes share; otherwise this one has its own. Where the settings name a store,
    all machines that do share them instead.

    Raises UnfilledColumnError, JournalUnusableError, UnsupportedMeasureError, MissingDocumentError,
    HistoryUnreadableError, EgressRefusedError, CertificateError, OSError when the declarations, the certificate or the
    address cannot be used.
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
        shared = await stack.enter_async_context(fleet_limits(deployment, settings, log, metrics))
        admitting = shared or limits or RateLimits(deployment.proxy.limits, clock)
        prices = prices or shipped_price_book()
        parts = await _parts(stack, deployment, settings, generated, log, metrics, database, books, admitting, prices)
        passage = Passage(deployment, parts.channel, parts.keys, metrics)
        billing = asyncio.create_task(bill_unread_batches(parts, passage), name="unread batches")
        stack.push_async_callback(end_task, billing)
        found = await stack.enter_async_context(listening(parts, passage, grace_seconds, inherited))
        yield Running(found.url, parts, found.renew_certificate)


async def _parts(
    stack: AsyncExitStack,
    deployment: Deployment,
    settings: Settings,
    generated: Path,
    log: Log,
    metrics: Metrics,
    database: Database,
    books: Accounting,
    limits: Admitting,
    prices: PriceBook,
) -> Parts:
    """What answers are made of, open until the stack unwinds."""
    lookup = _keys_of_customers(stack, deployment, settings, database, log)
    keys = _upstream_keys(settings, metrics)
    egress = Egress(deployment, settings, lambda processor: log.error("egress_refused", route=processor))
    reader, outbox = PurposeReader(deployment, database), Outbox(deployment)
    heartbeat = await stack.enter_async_context(watching(deployment, database, log, metrics))
    rights = rights_of(deployment, database, settings.store)
    _watch(stack, deployment, database, metrics, Waiting(deployment, database, heartbeat) if rights else None)
    visitors, provider = await _people(stack, deployment, settings, database, log)
    payments = await _payments(stack, deployment, settings, database, reader, outbox, books.credit)
    return Parts(
        deployment=deployment,
        settings=settings,
        generated=generated,
        database=database,
        lookup=lookup,
        limits=limits,
        credit=books.credit,
        spending=books.spending,
        reader=reader,
        outbox=outbox,
        channel=await stack.enter_async_context(_channel(egress, deployment, settings)),
        keys=keys,
        places=Places(settings.requests_max, settings.account_requests_max),
        settling=books.settling,
        prices=prices,
        log=log,
        metrics=metrics,
        heartbeat=heartbeat,
        payments=payments,
        rights=rights,
        visitors=visitors,
        identity=provider,
        live=await stack.enter_async_context(live_usage(deployment, database)),
        analytics=await stack.enter_async_context(sending_analytics(deployment, settings, metrics, log)),
    )


def _watch(
    stack: AsyncExitStack, deployment: Deployment, database: Database, metrics: Metrics, waiting: Waiting | None
) -> None:
    """Looks now and then at what an operator has to see."""
    looks = [show_unexplained(deployment, database, metrics), watch_mail(deployment, database, metrics)]
    if waiting is not None:
        show_waiting(metrics, waiting)
        looks.append(watch_requests(waiting))
    for look in looks:
        stack.push_async_callback(end_task, asyncio.create_task(look))


def _keys_of_customers(
    stack: AsyncExitStack, deployment: Deployment, settings: Settings, database: Database, log: Log
) -> KeyLookup:
    """Looks customers' keys up, and hears of those that change."""
    hasher = KeyedHasher(settings.store.lookup)
    lookup = KeyLookup(StoredKeys(deployment, database), hasher, now=lambda: datetime.now(UTC))
    stack.push_async_callback(end_task, asyncio.create_task(listen_for_keys(database, lookup, log)))
    return lookup


def _channel(egress: Egress, deployment: Deployment, settings: Settings) -> AbstractAsyncContextManager[ContentChannel]:
    return egress.open_content(deployment.proxy.upstream, settings.upstream_url)


def _upstream_keys(settings: Settings, metrics: Metrics) -> UpstreamKeys:
    keys = UpstreamKeys(settings.upstream_keys, time.monotonic)
    show_upstream_keys(metrics, keys)
    return keys


async def _payments(
    stack: AsyncExitStack,
    deployment: Deployment,
    settings: Settings,
    database: Database,
    reader: PurposeReader,
    outbox: Outbox,
    credit: Credit,
) -> Payments | None:
    """What takes payments; None where nothing is for sale."""
    if settings.payments is None:
        return None
    opening = open_payments(
        deployment,
        settings.payments,
        database,
        production=settings.production,
        reader=reader,
        outbox=outbox,
        credit=credit,
    )
    return await stack.enter_async_context(opening)


async def _people(
    stack: AsyncExitStack, deployment: Deployment, settings: Settings, database: Database, log: Log
) -> tuple[Visitors, IdentityProvider | None]:
    """Who can be signed in, and who is asked about them."""
    provider = await stack.enter_async_context(
        identity_provider(
            deployment,
            settings.identity,
            lambda: log.error("egress_refused", route=IDENTITY_PROCESSOR),
            production=settings.production,
        )
    )
    visitors = visitors_of(deployment, database, settings.identity, provider, log)
    stack.push_async_callback(visitors.close)
    return visitors, provider
