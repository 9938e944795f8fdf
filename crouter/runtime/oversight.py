"""What an operator sees at a glance: counts of what is open, late, parked or set aside. Nobody is named."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database
from crouter.runtime.journal.quarantine import quarantined
from crouter.runtime.names import LEDGER
from crouter.runtime.purposes import require_purpose
from crouter.runtime.reconciliation.store import Results

OUTBOX: Final = "outbox"
DATA_REQUEST: Final = "data_request"


@dataclass(frozen=True, slots=True)
class Overview:
    """The state of things at one moment. What the policy does not declare is None."""

    accounts: int
    leaving: int
    """Accounts whose deletion was asked for and is not carried out."""
    held_nanousd: int
    """What all customers together have."""
    requests_open: int | None
    requests_overdue: int | None
    mails_waiting: int | None
    mails_parked: int | None
    unexplained: Mapping[str, int]
    """Figures of reconciliation that nothing explains, by source."""
    set_aside: int | None
    """Records of the journal that the database refused; None where the folder cannot be read."""


class Oversight:
    """Counts. Methods raise DatabaseError."""

    def __init__(self, deployment: Deployment, database: Database, journal: Path) -> None:
        require_purpose(deployment.record(LEDGER), ("amount_nanousd",), "billing")
        self._database = database
        self._journal = journal
        self._records = {record.name for record in deployment.records}
        self._results = Results(deployment, database)
        rules = [rule for rule in deployment.retention.erase if rule.owner == "account"]
        self._leaving = next((rule.time_column for rule in rules), None)
        self._erased = next((rule.erased_column for rule in rules), None)

    async def overview(self) -> Overview:
        """Everything, read now."""
        accounts, leaving = await self._accounts()
        ((held,),) = await self._database.rows(
            sql.SQL("SELECT coalesce(sum(amount_nanousd), 0)::bigint FROM {}").format(self._database.table(LEDGER))
        )
        mails = await self._counts(OUTBOX, sql.SQL("state = 'waiting'"), sql.SQL("state = 'parked'"))
        requests = await self._counts(
            DATA_REQUEST, sql.SQL("closed_at IS NULL"), sql.SQL("closed_at IS NULL AND due_at < now()")
        )
        return Overview(
            accounts=accounts,
            leaving=leaving,
            held_nanousd=held,
            requests_open=requests[0],
            requests_overdue=requests[1],
            mails_waiting=mails[0],
            mails_parked=mails[1],
            unexplained=await self._results.unexplained(),
            set_aside=await asyncio.to_thread(self._set_aside),
        )

    async def _accounts(self) -> tuple[int, int]:
        erased = sql.SQL("{} IS NULL").format(sql.Identifier(self._erased)) if self._erased else sql.SQL("true")
        leaving = sql.SQL("{} IS NOT NULL").format(sql.Identifier(self._leaving)) if self._leaving else sql.SQL("false")
        query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {} WHERE {}").format(
            leaving, self._database.table("account"), erased
        )
        ((accounts, asked),) = await self._database.rows(query)
        return accounts, asked

    async def _counts(self, record: str, first: sql.SQL, second: sql.SQL) -> tuple[int | None, int | None]:
        if record not in self._records:
            return None, None
        query = sql.SQL("SELECT count(*) FILTER (WHERE {}), count(*) FILTER (WHERE {}) FROM {}").format(
            first, second, self._database.table(record)
        )
        ((one, other),) = await self._database.rows(query)
        return one, other

    def _set_aside(self) -> int | None:
        try:
            return len(quarantined(self._journal))
        except OSError:
            return None
