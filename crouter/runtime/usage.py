"""What a request used, and how it gets into the database: one usage row and one charge for one upstream attempt, or
neither.

The columns of the row are those that the policy declares. A measure that it does not declare is not stored, a
declared one is filled from what the upstream reported. Prices are `crouter.runtime.pricing`; who waits for what is
`crouter.runtime.settling`.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final

import msgspec
from psycopg import sql

from crouter.contract.data import Field, Record
from crouter.contract.deployment import Deployment
from crouter.contract.measures import MEASURES
from crouter.runtime.accounts import is_erased
from crouter.runtime.charging import charges, charging, whose
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.days_of_use import DaysOfUse
from crouter.runtime.journal.entry import FORM, Entry
from crouter.runtime.lateness import Lateness
from crouter.runtime.names import ACCOUNT, API_KEY, CREDIT_LEASE, SPENDING_LEASE, USAGE
from crouter.runtime.pricing.lines import priced_counts
from crouter.runtime.pricing.settlement import Charge
from crouter.runtime.proxy.attempt import UsageRecordDraft
from crouter.runtime.spending.spending import limits_of_charge
from crouter.runtime.spending.store import has_spending_limits

MODEL_CHARS_MAX: Final = 128
_OF_THE_ENTRY: Final = ("occurred_at", "policy_digest")
_ABSENT: Final[dict[str, Any]] = {"count": 0, "counts": "{}"}
_TYPES: Final = {
    "uuid": "uuid",
    "reference": "uuid",
    "text": "text",
    "count": "bigint",
    "counts": "jsonb",
    "nanousd": "bigint",
    "timestamp": "timestamptz",
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
    room: dict[uuid.UUID, int] = field(default_factory=dict)
    """The same for months of spending limits, by their ids."""


_Value = Callable[[Entry], Any]


class UsageStore:
    """Writes entries. Writing the same one again changes nothing."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises UnfilledColumnError."""
        record = deployment.record(USAGE)
        self._database = database
        self._lateness = Lateness(deployment, USAGE)
        self._values = tuple((field.name, _value_of(record, field)) for field in record.fields)
        self._living = sql.SQL("SELECT a.id FROM {} a WHERE a.id = ANY(%s) AND NOT ({})").format(
            database.table(ACCOUNT), is_erased(deployment, "a")
        )
        # Two transactions of one process that change several leases take them in the same order.
        self._lock_leases = sql.SQL(
            "SELECT 1 FROM {} WHERE process_id = %s AND account_id = ANY(%s) ORDER BY id FOR UPDATE"
        ).format(database.table(CREDIT_LEASE))
        # One parameter for all rows: psycopg takes far longer for the elements of a list. And without a target of the
        # conflict: a table in partitions has its key in each of them.
        self._insert_usage = sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {names} FROM json_to_recordset(%s::json) AS new ({columns}) "
            "ON CONFLICT DO NOTHING"
        ).format(
            table=database.table(USAGE),
            names=sql.SQL(", ").join(map(sql.Identifier, record.field_names)),
            columns=sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_type(field))) for field in record.fields
            ),
        )
        self._insert_charges = charging(deployment, database)
        self._spends = has_spending_limits(deployment)
        self._lock_rooms = sql.SQL(
            "SELECT 1 FROM {} WHERE process_id = %s AND limit_id = ANY(%s) ORDER BY id FOR UPDATE"
        ).format(database.table(SPENDING_LEASE))
        self._days = DaysOfUse(deployment, database)

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
            room: dict[uuid.UUID, int] = {}
            if kept:
                await connection.execute(self._lock_leases, (process, accounts))
                if self._spends:
                    limits = {id_ for entry in kept for id_ in limits_of_charge(*whose(entry))}
                    await connection.execute(self._lock_rooms, (process, list(limits)))
                await self._write_usage(connection, kept)
                await self._days.write(connection, kept)
                parameters = {"charges": charges(kept), "process": process}
                cursor = await connection.execute(self._insert_charges, parameters)
                for is_account, id_, left in await cursor.fetchall():
                    (remaining if is_account else room)[id_] = left
            dropped = frozenset(entry.id for entry in entries if entry.account not in living)
            return Shipped(dropped, remaining, room)

        shipped = await self._database.repeatable(write)
        self._days.written(entries)
        return shipped

    async def _write_usage(self, connection: Connection, entries: Sequence[Entry]) -> None:
        # A row that comes so late that its period is over is not written; its charge is.
        now = datetime.now(UTC)
        due = [entry for entry in entries if not self._lateness.is_over("occurred_at", entry.occurred_at, now)]
        if due:
            rows = [{name: value(entry) for name, value in self._values} for entry in due]
            await connection.execute(self._insert_usage, (_json(rows),))


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
    """Every measure of the contract but the policy's digest; None where the upstream reported nothing."""
    draft, counts = settlement.draft, settlement.draft.counts
    return {
        "input_tokens": counts.input_tokens,
        "output_tokens": counts.output_tokens,
        "cache_write_5m_tokens": counts.cache_creation_5m_input_tokens,
        "cache_write_1h_tokens": counts.cache_creation_1h_input_tokens,
        "cache_read_tokens": counts.cache_read_input_tokens,
        "web_search_requests": counts.web_search_requests,
        "web_fetch_requests": counts.web_fetch_requests,
        "further_counts": _map(dict(counts.further)) if counts.further else None,
        "priced_counts": _map(priced_counts(settlement.charge)),
        "model": (draft.model_reported or draft.model_requested)[:MODEL_CHARS_MAX],
        "service_tier": counts.service_tier,
        "occurred_at": settlement.occurred_at,
    }


def _map(counts: dict[str, int] | None) -> str | None:
    """A map of counts as the text of its jsonb column."""
    return None if counts is None else msgspec.json.encode(counts).decode()


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()


def _value_of(record: Record, field: Field) -> _Value:
    if field.name in _OF_THE_ENTRY:
        return attrgetter(field.name)
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
    absent = _ABSENT.get(field.kind, "") if field.required else None
    name = field.name
    if field.kind == "counts":
        return lambda entry: _embedded(entry.measures.get(name, absent))
    return lambda entry: entry.measures.get(name, absent)


def _embedded(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


def _type(field: Field) -> str:
    found = _TYPES.get(field.kind)
    if found is None:
        raise _unfilled(field)
    return found


def _unfilled(field: Field) -> UnfilledColumnError:
    return UnfilledColumnError(
        f"{field.policy_path}: nothing fills this column; make it optional, or name it after a measure: "
        + ", ".join(MEASURES)
    )
