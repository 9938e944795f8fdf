"""What operators' commands work with: accounts, keys and limits, on a database of their own while a command runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from crouter.contract.deployment import Deployment
from crouter.runtime.access_records import AccessRecords
from crouter.runtime.account_limits import LimitStore
from crouter.runtime.accounts import Accounts
from crouter.runtime.database.pool import Database
from crouter.runtime.keys import KeyStore
from crouter.runtime.master_keys import MasterKeys
from crouter.runtime.purposes import PurposeReader
from crouter.runtime.rights import Rights, rights_of
from crouter.runtime.settings import StoreSettings
from crouter.runtime.statement import Statement


@dataclass(frozen=True, slots=True)
class Administration:
    """The stores that a command may change."""

    deployment: Deployment
    database: Database
    accounts: Accounts
    keys: KeyStore
    accesses: AccessRecords
    statement: Statement
    reader: PurposeReader
    master_keys: MasterKeys
    limits: LimitStore
    rights: Rights | None


@asynccontextmanager
async def administration(deployment: Deployment, settings: StoreSettings) -> AsyncIterator[Administration]:
    """Opens the stores until the block ends. Their methods raise DatabaseError."""
    database = Database(settings, deployment.database_schema)
    await database.open()
    try:
        yield Administration(
            deployment=deployment,
            database=database,
            accounts=Accounts(deployment, database),
            keys=KeyStore(deployment, database, settings),
            accesses=AccessRecords(deployment, database),
            statement=Statement(deployment, database),
            reader=PurposeReader(deployment, database),
            master_keys=MasterKeys(deployment, database, settings),
            limits=LimitStore(deployment, database),
            rights=rights_of(deployment, database, settings),
        )
    finally:
        await database.close()
