"""Looks whether our own books agree with themselves: both sides of the ledger, and charges beside usage records."""

from datetime import date
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.ledger.trial import read_trial_balance
from crouter.runtime.names import BOOK, LEDGER, USAGE
from crouter.runtime.reconciliation.figure import Figure

SIDES: Final = "both sides of the books"
UNCHARGED: Final = "usage records without a charge"
UNUSED: Final = "charges without a usage record"


async def compared_books(deployment: Deployment, database: Database, day: date) -> tuple[Figure, ...]:
    """The figures of this moment; `day` is today. Raises DatabaseError."""
    figures: list[Figure] = []
    if any(record.name == BOOK for record in deployment.records):
        accounts = (await read_trial_balance(database)).accounts.values()
        credits_, debits = sum(one for one in accounts if one > 0), -sum(one for one in accounts if one < 0)
        figures.append(Figure("ledger", day, SIDES, "amount_nanousd", credits_, debits))
    for subject, query in ((UNCHARGED, _UNCHARGED), (UNUSED, _UNUSED)):
        statement = query.format(usage=database.table(USAGE), ledger=database.table(LEDGER))
        ((count,),) = await database.rows(statement)
        figures.append(Figure("ledger", day, subject, "records", 0, count))
    return tuple(figures)


_UNCHARGED: Final = sql.SQL(
    "SELECT count(*) FROM {usage} AS u WHERE NOT EXISTS (SELECT 1 FROM {ledger} AS l WHERE l.id = u.id)"
)
# Charges are summed up when their usage records end: until then each has its own.
_UNUSED: Final = sql.SQL(
    "SELECT count(*) FROM {ledger} AS l WHERE l.kind = 'charge' AND NOT EXISTS "
    "(SELECT 1 FROM {usage} AS u WHERE u.id = l.id)"
)
