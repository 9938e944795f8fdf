"""The job that tells an account once when its balance falls below a threshold, and again only after a new credit.

Nothing is kept for that. A fall is seen in the entries of the last hour, several times, and its mail is named by the
credit that was spent: the outbox takes it once. An hour later the fall is no longer looked at. What processes have
charged and not shipped yet is seen when it is shipped.
"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import is_live
from crouter.runtime.environment import Reader
from crouter.runtime.jobs.job import Job, JobContext, minutes
from crouter.runtime.money import NANOUSD_PER_USD
from crouter.runtime.names import ACCOUNT, LEDGER
from crouter.runtime.purposes import require_purpose

TEMPLATE: Final = "low_balance"
PURPOSE: Final = "billing_notices"
SETTING: Final = "CROUTER_LOW_BALANCE_DOLLARS"
DOLLARS: Final = 5
LOOK_BACK: Final = timedelta(hours=1)
BATCH: Final = 200
_NAMES: Final = uuid.UUID("8d0b7a52-63a1-5c6e-8f4c-3f8f0b0c5d7e")

# Of each account that was charged lately: its balance now, the highest it has been since then, and its last credit.
# What folding carries forward is old and no credit.
_FALLEN: Final = sql.SQL(
    "SELECT lately.account_id, total.balance, credit.id"
    " FROM (SELECT DISTINCT account_id FROM {ledger} WHERE kind = 'charge' AND occurred_at > %(since)s) AS lately"
    " JOIN {accounts} AS a ON a.id = lately.account_id AND {live}"
    " CROSS JOIN LATERAL (SELECT sum(amount_nanousd) AS balance,"
    "  coalesce(sum(amount_nanousd) FILTER (WHERE occurred_at <= %(since)s), 0) AS before"
    "  FROM {ledger} WHERE account_id = lately.account_id) AS total"
    " CROSS JOIN LATERAL (SELECT coalesce(max(running), 0) AS most FROM (SELECT sum(amount_nanousd)"
    "  OVER (ORDER BY occurred_at, id) AS running FROM {ledger}"
    "  WHERE account_id = lately.account_id AND occurred_at > %(since)s) AS steps) AS high"
    " LEFT JOIN LATERAL (SELECT id FROM {ledger} WHERE account_id = lately.account_id AND amount_nanousd > 0"
    "  AND kind <> 'carried' ORDER BY occurred_at DESC, id DESC LIMIT 1) AS credit ON true"
    " WHERE total.balance < %(threshold)s AND total.before + greatest(high.most, 0) >= %(threshold)s"
)


async def _tell(context: JobContext) -> None:
    threshold = read_threshold(context.deployment, context.environ)
    require_purpose(context.deployment.record(LEDGER), ("amount_nanousd", "occurred_at"), PURPOSE)
    database = context.database
    query = _FALLEN.format(
        ledger=database.table(LEDGER), accounts=database.table(ACCOUNT), live=is_live(context.deployment, "a")
    )
    async with database.transaction() as connection:
        cursor = await connection.execute(query, {"since": context.now() - LOOK_BACK, "threshold": threshold})
        fallen = await cursor.fetchall()
    for start in range(0, len(fallen), BATCH):
        async with database.transaction() as connection:
            for account, balance, credit in fallen[start : start + BATCH]:
                mail = uuid.uuid5(_NAMES, f"{account} {credit}")
                values = {"balance": int(balance), "threshold": threshold}
                await context.outbox.enqueue(connection, account, TEMPLATE, values, id=mail)
        if context.stopped():
            return


def read_threshold(deployment: Deployment, environ: Mapping[str, str]) -> int:
    """The balance below which an account is told, in nanodollars. Raises SettingsError."""
    reader = Reader(environ)
    threshold = reader.count(SETTING, DOLLARS) * NANOUSD_PER_USD
    reader.give_up_on_problems()
    return threshold


TELL_LOW_BALANCE: Final = Job(
    name="low_balance",
    policy_path=f"mail.{TEMPLATE}",
    every=minutes(10),
    run=_tell,
    is_needed=lambda deployment: deployment.mail is not None,
    settings=read_threshold,
)
