"""Tells every account of a significant version, by mail, before it takes effect.

Accounts are gone through in batches in the order of their ids, each batch in one transaction. A mail has an id of its
account and its version, so that whoever is stopped anywhere begins anew, and nobody is told twice.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.contract.retention import Period
from crouter.runtime.accounts import is_live
from crouter.runtime.database.pool import Database
from crouter.runtime.lateness import end
from crouter.runtime.mail.outbox import Outbox
from crouter.runtime.names import ACCOUNT

BATCH: Final = 2000
TEMPLATE: Final = "policy_change"
_NAMES: Final = uuid.UUID("0d5f7c1e-7f0d-5b3a-9a43-2d8f1b7c6e55")


def earliest_day(now: datetime, notice: Period) -> date:
    """The first day that a version announced at `now` may take effect on; days begin at midnight UTC."""
    told_for_long_enough = end(now, notice)
    day = told_for_long_enough.date()
    return day if told_for_long_enough == starts(day) else day + timedelta(days=1)


def starts(day: date) -> datetime:
    """The moment at which a day begins, in UTC."""
    return datetime.combine(day, time(), UTC)


class Notice:
    """The notice of one version to everybody. Every method raises DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database, version: str) -> None:
        self._database = database
        self._outbox = Outbox(deployment)
        self._accounts = database.table(ACCOUNT)
        self._live = is_live(deployment, "a")
        self._version = version

    async def count(self) -> int:
        """How many accounts there are to tell."""
        query = sql.SQL("SELECT count(*) FROM {} a WHERE {}").format(self._accounts, self._live)
        rows = await self._database.rows(query)
        return int(rows[0][0])

    async def send(self, told: Callable[[int], None] = lambda accounts: None) -> int:
        """Put a mail to every account into the outbox; gives how many were not there already.

        `told` hears of each batch how many accounts it had. Raises MailRefusedError where there is no such mail.
        """
        query = sql.SQL("SELECT a.id FROM {} a WHERE a.id > %s AND {} ORDER BY a.id LIMIT %s").format(
            self._accounts, self._live
        )
        last, added = uuid.UUID(int=0), 0
        while True:
            async with self._database.transaction() as connection:
                rows = await (await connection.execute(query, (last, BATCH))).fetchall()
                if not rows:
                    return added
                mails = [(uuid.uuid5(_NAMES, f"{self._version} {account}"), account) for (account,) in rows]
                added += await self._outbox.enqueue_for_all(connection, mails, TEMPLATE, {"version": self._version})
            last = rows[-1][0]
            told(len(rows))
