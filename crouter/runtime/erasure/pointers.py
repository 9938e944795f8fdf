"""What each processor knows an account by, read from our own rows. One line for each processor that is told of people."""

import uuid
from typing import Final

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.erasure.processors import Pointers

SUPABASE: Final = "supabase"


def pointers_of(deployment: Deployment, database: Database) -> Pointers:
    """By the names of processors. `database` is asked by the pointers that are rows."""
    del deployment, database
    return {SUPABASE: _identity}


async def _identity(connection: Connection, account: uuid.UUID) -> str | None:
    """Whoever signs in has the id of the account at the identity provider, too."""
    return str(account)
