"""Work on payments that no request does: asking Stripe where it said nothing, topping up, gathering the book."""

from collections.abc import Mapping
from datetime import timedelta

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.environment import Reader
from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.names import BOOK
from crouter.runtime.payments.payments import open_payments
from crouter.runtime.payments.processor import ProcessorAwayError
from crouter.runtime.payments.settings import PaymentSettings, read_payments, takes_payments


def payment_settings(deployment: Deployment, environ: Mapping[str, str]) -> PaymentSettings | None:
    """As the service reads them. Raises SettingsError."""
    reader = Reader(environ)
    settings = read_payments(reader, deployment, production=is_production(environ))
    reader.give_up_on_problems()
    return settings


async def catch_up(context: JobContext) -> None:
    """Asks Stripe what became of payments and refunds, and tops up automatically."""
    settings = payment_settings(context.deployment, context.environ)
    if settings is None:
        return
    async with open_payments(
        context.deployment,
        settings,
        context.database,
        production=is_production(context.environ),
        reader=context.reader,
        outbox=context.outbox,
        now=context.now,
    ) as payments:
        try:
            done = await payments.catch_up(context.stopped)
        except ProcessorAwayError:
            context.log.warning("payments_wait", job=PAYMENTS.label)
            return
    if done.refused:
        context.log.error("payments_refused", job=PAYMENTS.label, count=done.refused)
    context.log.info("payments_caught_up", job=PAYMENTS.label, count=done.payments + done.refunds + done.topped_up)


async def gather(context: JobContext) -> None:
    """Sums up the other sides of charges by the day: they are one for each batch that was shipped."""
    query = sql.SQL("SELECT {}(%s)").format(context.database.table("book_gather"))
    while not context.stopped():
        rows = await context.database.rows(query, (context.now() - timedelta(days=1),))
        if not rows[0][0]:
            return


def is_production(environ: Mapping[str, str]) -> bool:
    """Whether the environment is one in which real money moves."""
    return environ.get("CROUTER_ENVIRONMENT", "") != "development"


PAYMENTS = Job(
    name="payments",
    policy_path="data.payment",
    every=minutes(1),
    run=catch_up,
    is_needed=takes_payments,
    settings=payment_settings,
)

BOOKS = Job(
    name="books",
    policy_path="data.book",
    every=minutes(60),
    run=gather,
    is_needed=lambda deployment: any(record.name == BOOK for record in deployment.records),
)
