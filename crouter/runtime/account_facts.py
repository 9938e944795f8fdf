"""What an operator sees of one account: who it is, what it has, its keys. Looked up with a reason, recorded first."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from crouter.contract.deployment import Deployment
from crouter.runtime.access_records import AccessRecords, Operator
from crouter.runtime.credit.reading import CreditReader, Funds
from crouter.runtime.database.pool import Database
from crouter.runtime.names import ACCOUNT
from crouter.runtime.purposes import PurposeReader

ACCESSED = "account: address, name, balance, keys"
# An operator answers questions about the account that somebody signs in with.
_PURPOSE = "authentication"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """One account. `email` and `name` are None once they are gone."""

    id: uuid.UUID
    email: str | None
    name: str | None
    created_at: datetime
    deletion_requested_at: datetime | None
    erased_at: datetime | None
    funds: Funds


async def account_facts(
    deployment: Deployment, database: Database, operator: Operator, account: uuid.UUID
) -> AccountFacts | None:
    """The account, None if there is none with that id. The access is recorded before anything is read.

    Raises PurposeRefusedError, DatabaseError.
    """
    reader, record = PurposeReader(deployment, database), deployment.record(ACCOUNT)
    if await reader.one(ACCOUNT, ("id",), _PURPOSE, key=account) is None:
        return None
    await AccessRecords(deployment, database).add(operator, account, ACCESSED)
    rules = [rule for rule in deployment.retention.erase if rule.owner == ACCOUNT]
    asked = next((rule.time_column for rule in rules), None)
    erased = next((rule.erased_column for rule in rules), None)
    wanted = [name for name in ("email", "name", "created_at", asked, erased) if name in record.field_names]
    row = await reader.one(ACCOUNT, tuple(filter(None, wanted)), _PURPOSE, key=account)
    if row is None:
        return None
    return AccountFacts(
        id=account,
        email=row.get("email"),
        name=row.get("name"),
        created_at=row["created_at"],
        deletion_requested_at=row[asked] if asked else None,
        erased_at=row[erased] if erased else None,
        funds=await CreditReader(deployment, database).funds(account, "billing"),
    )
