"""One reconciliation: asks every side that can be asked, compares, and keeps what was found."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.egress import open_data
from crouter.runtime.environment import SettingsError
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.payments.jobs import is_production, payment_settings
from crouter.runtime.payments.payments import open_payments
from crouter.runtime.payments.processor import ProcessorAwayError, ProcessorRefusedError
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.reconciliation.admin_report import AdminReport, ReportError
from crouter.runtime.reconciliation.books import compared_books
from crouter.runtime.reconciliation.figure import Figure, Source
from crouter.runtime.reconciliation.ours import OurBooks
from crouter.runtime.reconciliation.settings import ADMIN_KEY, read_report_settings
from crouter.runtime.reconciliation.store import Results
from crouter.runtime.reconciliation.stripe import compared_movements, moved_at_stripe, read_booked
from crouter.runtime.reconciliation.upstream import compared_usage
from crouter.runtime.settings import read_journal_folder

DAYS: Final = 3
"""How many days are compared each time: what is late by a day or two is explained when it has come."""
DAYS_MAX: Final = 30


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found. `unasked` says by side, in words, why it could not be asked."""

    figures: tuple[Figure, ...]
    unasked: Mapping[Source, str]

    @property
    def unexplained(self) -> tuple[Figure, ...]:
        """The figures that are alarms."""
        return tuple(figure for figure in self.figures if figure.state == "unexplained")


class Reconciliation:
    """Compares the books of one deployment. Methods raise DatabaseError, SettingsError."""

    def __init__(self, deployment: Deployment, database: Database, environ: Mapping[str, str]) -> None:
        self._deployment = deployment
        self._database = database
        self._environ = environ

    async def run(self, now: datetime, days: int = DAYS) -> Reconciled:
        """Compares the books of this moment, and the last `days` whole days with the other sides; keeps the results."""
        assert 1 <= days <= DAYS_MAX, "the other sides are asked for so many days at once"
        today = now.astimezone(UTC).date()
        first, last = today - timedelta(days=days), today - timedelta(days=1)
        unasked: dict[Source, str] = {}
        figures = [
            *await compared_books(self._deployment, self._database, today),
            *await self._upstream(first, last, unasked),
            *await self._stripe(first, last, unasked),
        ]
        await Results(self._deployment, self._database).keep(figures, now)
        return Reconciled(tuple(figures), unasked)

    async def _upstream(self, first: date, last: date, unasked: dict[Source, str]) -> tuple[Figure, ...]:
        settings = read_report_settings(self._deployment, self._environ)
        if settings is None:
            unasked["upstream"] = f"{ADMIN_KEY} is not set"
            return ()
        upstream = self._deployment.proxy.upstream
        async with open_data(self._deployment, upstream, settings.origin, production=settings.production) as channel:
            report = AdminReport(channel, settings)
            try:
                usage, costs = await report.usage(first, last), await report.costs(first, last)
            except ReportError as problem:
                unasked["upstream"] = str(problem)
                return (_unknown("upstream", last),)
        # Ours is read last: what is counted there by now is recorded here, or still in the journal.
        ours = await OurBooks(self._deployment, self._database, _journal(self._environ)).usage(first, last)
        return compared_usage(ours, usage, costs, first, last)

    async def _stripe(self, first: date, last: date, unasked: dict[Source, str]) -> tuple[Figure, ...]:
        settings = payment_settings(self._deployment, self._environ)
        if settings is None:
            unasked["stripe"] = "payments are not set up"
            return ()
        async with AsyncExitStack() as stack:
            payments = await stack.enter_async_context(
                open_payments(
                    self._deployment,
                    settings,
                    self._database,
                    production=is_production(self._environ),
                    reader=PurposeReader(self._deployment, self._database),
                    outbox=Outbox(self._deployment),
                )
            )
            start = datetime.combine(first, time(), UTC)
            try:
                transactions = [one async for one in payments.balance_transactions(start)]
            except (ProcessorAwayError, ProcessorRefusedError):
                unasked["stripe"] = "Stripe could not be asked"
                return (_unknown("stripe", last),)
        booked = await read_booked(self._database, start, datetime.combine(last + timedelta(days=1), time(), UTC))
        return compared_movements(booked, moved_at_stripe(transactions, first, last))


def _unknown(source: Source, day: date) -> Figure:
    return Figure(source, day, "report", "records", 0, None)


def _journal(environ: Mapping[str, str]) -> Path | None:
    """The journals of this machine, where they are named."""
    try:
        return read_journal_folder(environ)
    except SettingsError:
        return None
