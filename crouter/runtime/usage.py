"""Writes what a request used: one usage row and one charge for one upstream attempt, or neither.

The columns of the row are those that the policy declares. A measure that it does not declare is not stored, a
declared one is filled from what the upstream reported. Prices are `crouter.runtime.pricing`.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from psycopg import sql

from crouter.contract.data import Field, Record
from crouter.contract.deployment import Deployment
from crouter.contract.measures import MEASURES
from crouter.runtime.database.pool import Connection, Database
from crouter.runtime.lateness import Lateness
from crouter.runtime.names import ACCOUNT, API_KEY, LEDGER, USAGE
from crouter.runtime.pricing.settlement import Charge
from crouter.runtime.proxy.attempt import UsageRecordDraft

CHARGE: Final = "charge"
MODEL_CHARS_MAX: Final = 128


class UnfilledColumnError(Exception):
    """The policy declares a usage column that no measurement of this library can fill."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """One ended attempt with its price. `id` names the attempt, the usage row and the ledger entry alike."""

    id: uuid.UUID
    account: uuid.UUID
    api_key: uuid.UUID
    occurred_at: datetime
    draft: UsageRecordDraft
    charge: Charge


_Value = Callable[[Settlement], Any]


class UsageStore:
    """Writes settlements. Writing the same one again changes nothing."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        """Raises UnfilledColumnError."""
        record = deployment.record(USAGE)
        self._database = database
        self._lateness = Lateness(deployment, USAGE)
        self._values = tuple(_value_of(record, field) for field in record.fields)
        # Composed once: psycopg would do it again for every answer.
        self._insert_usage = (
            sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING")
            .format(
                database.table(USAGE),
                sql.SQL(", ").join(map(sql.Identifier, record.field_names)),
                sql.SQL(", ").join(sql.Placeholder() * len(record.fields)),
            )
            .as_bytes()
        )
        self._insert_charge = (
            sql.SQL(
                "INSERT INTO {} (id, account_id, kind, amount_nanousd, occurred_at, price_version) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING"
            )
            .format(database.table(LEDGER))
            .as_bytes()
        )

    async def record(self, settlement: Settlement) -> None:
        """Writes the usage row and its charge in one transaction. Raises DatabaseError.

        A row that comes so late that its period is over is not written; its charge is.
        """
        usage = tuple(value(settlement) for value in self._values)
        charge = (
            settlement.id,
            settlement.account,
            CHARGE,
            -settlement.charge.cost_nanousd,
            settlement.occurred_at,
            settlement.charge.price_version,
        )

        over = self._lateness.is_over("occurred_at", settlement.occurred_at, datetime.now(UTC))

        async def write(connection: Connection) -> None:
            if not over:
                await connection.execute(self._insert_usage, usage)
            await connection.execute(self._insert_charge, charge)

        await self._database.repeatable(write)


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


def _value_of(record: Record, field: Field) -> _Value:
    if field.name in MEASURES:
        return _measure(field)
    if field.name == record.key:
        return lambda settlement: settlement.id
    if field.kind == "reference" and field.references == ACCOUNT:
        return lambda settlement: settlement.account
    if field.kind == "reference" and field.references == API_KEY:
        return lambda settlement: settlement.api_key
    if not field.required:
        return lambda settlement: None
    raise UnfilledColumnError(
        f"{field.policy_path}: nothing fills this column; make it optional, or name it after a measure: "
        + ", ".join(MEASURES)
    )


def _measure(field: Field) -> _Value:
    def value(settlement: Settlement) -> Any:
        found = measured(settlement)[field.name]
        # "Never reported" stays apart from zero where the policy leaves room for it.
        if found is None and field.required:
            return 0 if field.kind == "count" else ""
        return found

    return value
