"""What a request used, and how it gets into the database: one usage row and one charge for one upstream attempt, or
neither.

The columns of the row are those that the policy declares. A measure that it does not declare is not stored, a
declared one is filled from what the upstream reported. Prices are `crouter.runtime.pricing`; who waits for what is
`crouter.runtime.settling`.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql

from crouter.contract.data import Field, Record
from crouter.contract.deployment import Deployment
from crouter.contract.measures import MEASURES
from crouter.runtime.accounts import is_erased
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.journal.entry import FORM, Entry
from crouter.runtime.names import ACCOUNT, API_KEY, CREDIT_LEASE, LEDGER, USAGE
from crouter.runtime.pricing.settlement import Charge
from crouter.runtime.proxy.attempt import UsageRecordDraft

CHARGE: Final = "charge"
MODEL_CHARS_MAX: Final = 128
_ARRAYS: Final = {
    "uuid": "uuid[]",
    "reference": "uuid[]",
    "text": "text[]",
    "count": "bigint[]",
    "nanousd": "bigint[]",
    "timestamp": "timestamptz[]",
}


class UnfilledColumnError(Exception):
    """The policy declares a usage column that no measurement of this library can fill."""


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
    """What became of a batch. `dropped` are entries of accounts that are erased: nothing of them comes back."""

    dropped: frozenset[uuid.UUID]
    remaining: dict[uuid.UUID, int]
    """By account, what the process's lease has left in the database."""


_Value = Callable[[Entry], Any]


class UsageStore:
    """Writes entries. Writing the same one again changes nothing."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises UnfilledColumnError."""
        record = deployment.record(USAGE)
        self._database = database
        self._values = tuple(_value_of(record, field) for field in record.fields)
        self._living = sql.SQL("SELECT a.id FROM {} a WHERE a.id = ANY(%s) AND NOT ({})").format(
            database.table(ACCOUNT), is_erased(deployment, "a")
        )
        # Two transactions of one process that change several leases take them in the same order.
        self._lock_leases = sql.SQL(
            "SELECT 1 FROM {} WHERE process_id = %s AND account_id = ANY(%s) ORDER BY id FOR UPDATE"
        ).format(database.table(CREDIT_LEASE))
        # Without a target: a table in partitions has its key in each of them.
        self._insert_usage = sql.SQL(
            "INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"
        ).format(
            table=database.table(USAGE),
            names=sql.SQL(", ").join(map(sql.Identifier, record.field_names)),
            arrays=sql.SQL(", ").join(sql.SQL("%s::{}").format(sql.SQL(_array(field))) for field in record.fields),
        )
        self._insert_charges = sql.SQL(
            "WITH charged AS (INSERT INTO {ledger} (id, account_id, kind, amount_nanousd, occurred_at, price_version) "
            "SELECT id, account_id, {charge}, amount, occurred_at, price_version FROM "
            "unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::timestamptz[], %s::text[]) "
            "AS new (id, account_id, amount, occurred_at, price_version) ON CONFLICT DO NOTHING "
            "RETURNING account_id, amount_nanousd), "
            "spent AS (SELECT account_id, sum(amount_nanousd)::bigint AS amount FROM charged GROUP BY account_id) "
            "UPDATE {lease} AS l SET remaining_nanousd = l.remaining_nanousd + spent.amount FROM spent "
            "WHERE l.process_id = %s AND l.account_id = spent.account_id RETURNING l.account_id, l.remaining_nanousd"
        ).format(ledger=database.table(LEDGER), lease=database.table(CREDIT_LEASE), charge=sql.Literal(CHARGE))

    async def ship(self, process: uuid.UUID, entries: Sequence[Entry]) -> Shipped:
        """Writes usage rows and charges, and takes the charges off the process's leases; all in one transaction.

        A lease is reduced by charges that were really inserted, so that a second time changes nothing.
        Raises DatabaseError.
        """
        accounts = list({entry.account for entry in entries})

        async def write(connection: Connection) -> Shipped:
            cursor = await connection.execute(self._living, (accounts,))
            living = {row[0] for row in await cursor.fetchall()}
            kept = [entry for entry in entries if entry.account in living]
            remaining: dict[uuid.UUID, int] = {}
            if kept:
                columns = tuple([value(entry) for entry in kept] for value in self._values)
                await connection.execute(self._lock_leases, (process, accounts))
                await connection.execute(self._insert_usage, columns)
                cursor = await connection.execute(self._insert_charges, (*_charges(kept), process))
                remaining = dict(await cursor.fetchall())
            return Shipped(frozenset(entry.id for entry in entries if entry.account not in living), remaining)

        return await self._database.repeatable(write)


def entry_of(settlement: Settlement, policy_digest: str) -> Entry:
    """What the journal keeps of a settlement."""
    measures = measured(settlement)
    del measures["occurred_at"]
    return Entry(
        id=settlement.id,
        account=settlement.account,
        api_key=settlement.api_key,
        occurred_at=settlement.occurred_at,
        measures={name: value for name, value in measures.items() if value is not None},
        outcome=settlement.draft.outcome.value,
        cost_nanousd=settlement.charge.cost_nanousd,
        price_version=settlement.charge.price_version,
        policy_digest=policy_digest,
        form=FORM,
    )


def measured(settlement: Settlement) -> dict[str, Any]:
    """Every measure of the contract for one settlement; None where the upstream reported nothing."""
    draft, counts = settlement.draft, settlement.draft.counts
    return {
        "input_tokens": counts.input_tokens,
        "output_tokens": counts.output_tokens,
        "cache_write_5m_tokens": counts.cache_creation_5m_input_tokens,
        "cache_write_1h_tokens": counts.cache_creation_1h_input_tokens,
        "cache_read_tokens": counts.cache_read_input_tokens,
        "web_search_requests": counts.web_search_requests,
        "web_fetch_requests": counts.web_fetch_requests,
        "model": (draft.model_reported or draft.model_requested)[:MODEL_CHARS_MAX],
        "service_tier": counts.service_tier,
        "occurred_at": settlement.occurred_at,
    }


def _charges(entries: Sequence[Entry]) -> tuple[list[Any], ...]:
    return (
        [entry.id for entry in entries],
        [entry.account for entry in entries],
        [-entry.cost_nanousd for entry in entries],
        [entry.occurred_at for entry in entries],
        [entry.price_version for entry in entries],
    )


def _value_of(record: Record, field: Field) -> _Value:
    if field.name == "occurred_at":
        return lambda entry: entry.occurred_at
    if field.name in MEASURES:
        return _measure(field)
    if field.name == record.key:
        return lambda entry: entry.id
    if field.kind == "reference" and field.references == ACCOUNT:
        return lambda entry: entry.account
    if field.kind == "reference" and field.references == API_KEY:
        return lambda entry: entry.api_key
    if not field.required:
        return lambda entry: None
    raise _unfilled(field)


def _measure(field: Field) -> _Value:
    # "Never reported" stays apart from zero where the policy leaves room for it.
    absent = (0 if field.kind == "count" else "") if field.required else None
    name = field.name
    return lambda entry: entry.measures.get(name, absent)


def _array(field: Field) -> str:
    array = _ARRAYS.get(field.kind)
    if array is None:
        raise _unfilled(field)
    return array


def _unfilled(field: Field) -> UnfilledColumnError:
    return UnfilledColumnError(
        f"{field.policy_path}: nothing fills this column; make it optional, or name it after a measure: "
        + ", ".join(MEASURES)
    )
