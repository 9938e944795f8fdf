"""What a request used, and how it gets into the database: one usage row and one charge for one upstream attempt, or
neither.

Which columns a row has is `crouter.runtime.usage_columns`, and the statement that writes is `crouter.runtime.charging`.
Prices are `crouter.runtime.pricing`; who waits for what is `crouter.runtime.settling`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from psycopg import sql

from crouter.contract.deployment import Deployment
from crouter.runtime.accounts import is_erased
from crouter.runtime.charging import charging, tallied
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.days_of_use import DaysOfUse
from crouter.runtime.journal.entry import FORM, Entry, entry_bytes
from crouter.runtime.journal.noted import Noted
from crouter.runtime.lateness import Lateness
from crouter.runtime.names import ACCOUNT, CREDIT_LEASE, SPENDING_LEASE, USAGE
from crouter.runtime.pricing.lines import priced_counts
from crouter.runtime.pricing.settlement import Charge
from crouter.runtime.proxy.attempt import UsageRecordDraft
from crouter.runtime.spending.store import has_spending_limits
from crouter.runtime.tally import Tally, tallies_text

MODEL_CHARS_MAX: Final = 128

# Which accounts are gone, and locks: two transactions of one process that change several leases take them in the same
# order, those of accounts first.
_HELD: Final = sql.SQL(
    "WITH told AS (SELECT * FROM json_to_recordset(%(tallies)s::json) AS told (account uuid, key_limit uuid, "
    "account_limit uuid)), "
    "leases AS MATERIALIZED (SELECT 1 FROM {lease} WHERE process_id = %(process)s "
    "AND account_id = ANY (ARRAY(SELECT account FROM told)) ORDER BY id FOR UPDATE), "
)
_HELD_ROOMS: Final = sql.SQL(
    "rooms AS MATERIALIZED (SELECT 1 FROM {room} WHERE process_id = %(process)s "
    "AND limit_id = ANY (ARRAY(SELECT key_limit FROM told UNION ALL SELECT account_limit FROM told)) "
    "AND (SELECT count(*) FROM leases) >= 0 ORDER BY id FOR UPDATE), "
)
_GONE: Final = sql.SQL(
    "held AS MATERIALIZED (SELECT count(*) FROM {last}) "
    "SELECT account FROM told WHERE (SELECT count FROM held) >= 0 "
    "AND NOT EXISTS (SELECT 1 FROM {account} AS a WHERE a.id = told.account AND NOT ({erased}))"
)


# Not frozen: one is made for every answer, and a frozen one takes several times as long to make.
@dataclass(slots=True)
class Settlement:
    """One ended attempt with its price. `id` names the attempt, the usage row and the ledger entry alike."""

    id: uuid.UUID
    account: uuid.UUID
    api_key: uuid.UUID
    occurred_at: datetime
    draft: UsageRecordDraft
    charge: Charge


@dataclass(frozen=True, slots=True)
class Shipped:
    """What became of a batch. `dropped` is of accounts that are erased: nothing of it comes back."""

    written: Sequence[Tally]
    dropped: Sequence[Tally]
    remaining: dict[uuid.UUID, int] = field(default_factory=dict)
    """By account, what the process's lease has left in the database."""
    room: dict[uuid.UUID, int] = field(default_factory=dict)
    """The same for months of spending limits, by their ids."""
    days: dict[uuid.UUID, date] = field(default_factory=dict)
    """By key, days of use that were written."""


class UsageStore:
    """Writes entries. Writing the same one again changes nothing."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises UnfilledColumnError."""
        self._database = database
        self._lateness = Lateness(deployment, USAGE)
        # Statements are text once and for all: putting one together takes longer than sending it.
        self._charge = charging(deployment, database)
        self._hold = _holding(deployment, database)
        self._days = DaysOfUse(deployment, database)

    async def ship(self, process: uuid.UUID, entries: Sequence[Noted]) -> Shipped:
        """Writes usage rows and charges, and takes the charges off the process's leases; all in one transaction.

        A lease is reduced by charges that were really inserted, so that a second time changes nothing.
        Raises DatabaseError.
        """
        tallies = tallied(entries)
        parameters = {"process": process, "tallies": tallies_text(tallies)}

        async def write(connection: Connection) -> Shipped:
            cursor = await connection.execute(self._hold, parameters)
            gone = {row[0] for row in await cursor.fetchall()}
            written, dropped = _parted(tallies, gone)
            if not written:
                return Shipped((), dropped)
            kept = [entry for entry in entries if entry.account not in gone] if gone else entries
            days = self._days.new(written)
            await self._days.write(connection, days)
            cursor = await connection.execute(self._charge, {**parameters, **self._told(kept, written)})
            remaining: dict[uuid.UUID, int] = {}
            room: dict[uuid.UUID, int] = {}
            for is_account, id_, left in await cursor.fetchall():
                (remaining if is_account else room)[id_] = left
            return Shipped(written, dropped, remaining, room, days)

        shipped = await self._database.repeatable(write)
        self._days.written(shipped.days)
        return shipped

    def _told(self, entries: Sequence[Noted], tallies: Sequence[Tally]) -> dict[str, object]:
        """The entries as the statement takes them."""
        return {
            "entries": (b"[" + b",".join([entry.body for entry in entries]) + b"]").decode(),
            "late": self._late(entries, tallies),
        }

    def _late(self, entries: Sequence[Noted], tallies: Sequence[Tally]) -> list[uuid.UUID]:
        """Those that come so late that their period is over."""
        now = datetime.now(UTC)
        if not self._is_over(min([tally.first_at for tally in tallies]), now):
            return []
        return [entry.id for entry in entries if self._is_over(entry.occurred_at, now)]

    def _is_over(self, at: datetime, now: datetime) -> bool:
        return self._lateness.is_over("occurred_at", at, now)


def _parted(tallies: Sequence[Tally], gone: set[uuid.UUID]) -> tuple[Sequence[Tally], Sequence[Tally]]:
    """What is of accounts that are there, and what is not."""
    if not gone:
        return tallies, ()
    there = [tally for tally in tallies if tally.account not in gone]
    return there, [tally for tally in tallies if tally.account in gone]


def _holding(deployment: Deployment, database: Database) -> bytes:
    """The statement that comes first. It gives accounts that are erased."""
    limited = has_spending_limits(deployment)
    parts = (_HELD, *((_HELD_ROOMS,) if limited else ()), _GONE)
    names = {
        "lease": database.table(CREDIT_LEASE),
        "room": database.table(SPENDING_LEASE),
        "account": database.table(ACCOUNT),
        "last": sql.Identifier("rooms" if limited else "leases"),
        "erased": is_erased(deployment, "a"),
    }
    return sql.Composed([part.format(**names) for part in parts]).as_bytes()


def noted_of(settlement: Settlement, policy_digest: str) -> Noted:
    """What the journal keeps of a settlement: what the upstream did not report is left out."""
    draft, charge = settlement.draft, settlement.charge
    counts = draft.counts
    # In the order of the fields: to name them takes several times as long.
    entry = Entry(
        settlement.id,
        settlement.account,
        settlement.api_key,
        settlement.occurred_at,
        (draft.model_reported or draft.model_requested)[:MODEL_CHARS_MAX],
        # The same as `value`, without the detour through a descriptor.
        draft.outcome._value_,
        charge.cost_nanousd,
        charge.price_version,
        policy_digest,
        FORM,
        counts.input_tokens,
        counts.output_tokens,
        counts.cache_creation_5m_input_tokens,
        counts.cache_creation_1h_input_tokens,
        counts.cache_read_input_tokens,
        counts.web_search_requests,
        counts.web_fetch_requests,
        dict(counts.further) if counts.further else None,
        priced_counts(charge),
        counts.service_tier,
    )
    return Noted(
        settlement.id,
        settlement.account,
        settlement.api_key,
        settlement.occurred_at,
        charge.cost_nanousd,
        entry_bytes(entry),
    )
