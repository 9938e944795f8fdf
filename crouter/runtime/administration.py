"""What operators' commands work with: accounts and keys, on a database of their own for as long as a command runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.pool import Database
from crouter.runtime.keys import KeyStore
from crouter.runtime.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class Administration:
    """The stores that a command may change."""

    accounts: Accounts
    keys: KeyStore


@asynccontextmanager
async def administration(deployment: Deployment, settings: StoreSettings) -> AsyncIterator[Administration]:
    """Opens the stores until the block ends. Their methods raise DatabaseError."""
    database = Database(settings, deployment.database_schema)
    await database.open()
    try:
        yield Administration(Accounts(deployment, database), KeyStore(deployment, database, settings))
    finally:
        await database.close()
