"""The daily job, and what its results show in the metrics of a service."""

import asyncio
from collections.abc import Mapping
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.database.errors import DatabaseError
from crouter.runtime.database.pool import Database
from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.metrics import Metrics
from crouter.runtime.names import RECONCILIATION
from crouter.runtime.payments.jobs import payment_settings
from crouter.runtime.reconciliation.run import Reconciliation
from crouter.runtime.reconciliation.settings import read_report_settings
from crouter.runtime.reconciliation.store import Results

GAUGE: Final = "crouter_reconciliation_unexplained"
LOOK_SECONDS: Final = 60.0


async def reconcile(context: JobContext) -> None:
    """Compares and keeps; what nothing explains is an error in the log, and so is a side that could not be asked."""
    found = await Reconciliation(context.deployment, context.database, context.environ).run(context.now())
    for figure in found.figures:
        if figure.state == "unknown":
            context.log.warning("reconciliation_unasked", job=RECONCILE.label, error=figure.source)
    if found.unexplained:
        context.log.error("reconciliation_unexplained", job=RECONCILE.label, count=len(found.unexplained))
    else:
        context.log.info("reconciled", job=RECONCILE.label, count=len(found.figures))


async def show_unexplained(
    deployment: Deployment, database: Database, metrics: Metrics, pause: float = LOOK_SECONDS
) -> None:
    """Shows, until cancelled, how many figures nothing explains. With the database away the last look stays."""
    results, counts = Results(deployment, database), dict[str, int]()
    if not results.are_kept:
        return
    metrics.show(GAUGE, lambda: [({"source": source}, float(count)) for source, count in counts.items()])
    while True:
        try:
            counts.update(await results.unexplained())
        except DatabaseError:
            # Whoever serves requests tells that; here it would be told once a minute.
            await asyncio.sleep(pause)
            continue
        await asyncio.sleep(pause)


def _settings(deployment: Deployment, environ: Mapping[str, str]) -> object:
    return payment_settings(deployment, environ), read_report_settings(deployment, environ)


RECONCILE = Job(
    name="reconcile",
    policy_path="data.reconciliation",
    every=minutes(24 * 60),
    lag_max=minutes(6 * 60),
    run=reconcile,
    is_needed=lambda deployment: any(record.name == RECONCILIATION for record in deployment.records),
    settings=_settings,
)
