"""Puts credit, journal and settling together, and keeps them at work for as long as the service runs."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.credit.credit import Credit
from crouter.runtime.credit.keeping import Keeper
from crouter.runtime.credit.store import LeaseStore
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.ending import end_task
from crouter.runtime.journal.adoption import Adopter
from crouter.runtime.journal.journal import Journal
from crouter.runtime.journal.shipping import Shipper
from crouter.runtime.logs import Log
from crouter.runtime.metrics import Metrics
from crouter.runtime.settings import Settings
from crouter.runtime.settling import Settling
from crouter.runtime.spending.spending import EVENTS, Spending
from crouter.runtime.spending.store import SpendingStore, has_spending_limits
from crouter.runtime.usage import UsageStore
from crouter.runtime.words import kind_of

AGAIN_SECONDS: Final = 1.0


class JournalUnusableError(Exception):
    """The folder of journals cannot be used; the message names the setting."""


@dataclass(frozen=True, slots=True)
class Accounting:
    """What a request meets: who reserves, and who records."""

    credit: Credit
    settling: Settling
    spending: Spending | None
    """None where the policy declares no spending limits."""


@asynccontextmanager
async def accounting(
    deployment: Deployment, settings: Settings, database: Database, log: Log, metrics: Metrics, *, grace_seconds: float
) -> AsyncIterator[Accounting]:
    """Credit and settling of this process. At the end of the block everything is shipped, within `grace_seconds`,
    and leases are given back; what could not be shipped stays in the journal.

    Raises JournalUnusableError, UnfilledColumnError.
    """
    store = UsageStore(deployment, database)
    process = uuid.uuid4()
    leases = LeaseStore(deployment, database, process)
    credit = Credit(leases, metrics)
    rooms = SpendingStore(deployment, database, process) if has_spending_limits(deployment) else None
    room = Credit(rooms, metrics, events=EVENTS) if rooms is not None else None

    async def empty_all(of: uuid.UUID) -> None:
        await leases.empty_all(of)
        if rooms is not None:
            await rooms.empty_all(of)

    shipper = Shipper(store.ship, settings.journal)
    adopter = Adopter(settings.journal, process, shipper, empty_all)
    journal = _journal(settings, process)
    settling = Settling(
        journal, credit, shipper, adopter, room=room, policy_digest=deployment.policy_digest, log=log, metrics=metrics
    )
    keepers = [Keeper(leased, database, log) for leased in (credit, room) if leased is not None]
    works = (settling.run, *(keeper.run for keeper in keepers))
    tasks = [asyncio.create_task(_always(work, log)) for work in works]
    spending = Spending(rooms, room) if rooms is not None and room is not None else None
    try:
        yield Accounting(credit, settling, spending)
    finally:
        left = await settling.finish(grace_seconds)
        for task in tasks:
            await end_task(task)
        if left == 0:
            # With charges still to come a lease stays until they have come, or until it ends.
            try:
                await empty_all(process)
            except DatabaseError as error:
                log.warning("leases_left", error=kind_of(error))
        journal.close()


def _journal(settings: Settings, process: uuid.UUID) -> Journal:
    try:
        return Journal(settings.journal, process, sync_always=settings.journal_sync == "always")
    except OSError as error:
        raise JournalUnusableError(
            f"CROUTER_JOURNAL: the folder cannot be used ({kind_of(error)}, errno {error.errno}); it has to be on a "
            "local disk with room, and this process's own"
        ) from None


async def _always(work: Callable[[], Awaitable[None]], log: Log) -> None:
    """Begins again what broke off: no bug in it may stop the shipping of what is recorded."""
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  whatever it is, the log gets its type and the work goes on
            inner = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            log.error("accounting_crashed", error=kind_of(inner))
        await asyncio.sleep(AGAIN_SECONDS)
