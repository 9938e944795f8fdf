"""What each processor knows an account by, read from our own rows: one line for each that is told of people."""

import uuid
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.erasure.processors import Pointer, Pointers
from crouter.runtime.names import PAYMENT_PROFILE

SUPABASE: Final = "supabase"
STRIPE: Final = "stripe"


def pointers_of(deployment: Deployment, database: Database) -> Pointers:
    """By the names of processors."""
    found: dict[str, Pointer] = {SUPABASE: _identity}
    if any(record.name == PAYMENT_PROFILE for record in deployment.records):
        found[STRIPE] = _customer(database)
    return found


async def _identity(connection: Connection, account: uuid.UUID) -> str | None:
    """Whoever signs in has the id of the account at the identity provider, too."""
    return str(account)


def _customer(database: Database) -> Pointer:
    query = sql.SQL("SELECT customer FROM {} WHERE account_id = %s AND customer IS NOT NULL").format(
        database.table(PAYMENT_PROFILE)
    )

    async def customer(connection: Connection, account: uuid.UUID) -> str | None:
        row = await (await connection.execute(query, (account,))).fetchone()
        return str(row[0]) if row is not None else None

    return customer
