"""The columns of the usage row: those that the policy declares, each filled with what an entry of the journal says.

A measure that the policy does not declare is not stored, a declared one is filled from what the upstream reported.
"""

from dataclasses import dataclass
from typing import Final

from psycopg import sql

from crouter.contract.data import Field, Record
from crouter.contract.measures import MEASURES
from crouter.runtime.names import ACCOUNT, API_KEY

_TYPES: Final = {
    "uuid": "uuid",
    "reference": "uuid",
    "text": "text",
    "count": "bigint",
    "counts": "jsonb",
    "nanousd": "bigint",
    "timestamp": "timestamptz",
}
# What each entry says of itself; measures come beside it. See `crouter.runtime.journal.entry`.
_OF_EACH: Final = {
    "id": "uuid",
    "account": "uuid",
    "api_key": "uuid",
    "occurred_at": "timestamptz",
    "cost_nanousd": "bigint",
    "price_version": "text",
}
# "Never reported" stays apart from zero where the policy leaves room for it.
_ABSENT: Final = {"count": sql.SQL("0"), "counts": sql.SQL("'{}'::jsonb"), "text": sql.SQL("''")}


class UnfilledColumnError(Exception):
    """The policy declares a usage column that no measurement of this library can fill."""


@dataclass(frozen=True, slots=True)
class UsageColumns:
    """Parts of a statement: what it reads of a JSON object, columns of the table, and the expression for each."""

    read: sql.Composed
    names: sql.Composed
    values: sql.Composed

    @classmethod
    def of(cls, record: Record) -> "UsageColumns":
        """The columns of the declared record. Raises UnfilledColumnError."""
        measured = {field.name: _type(field) for field in record.fields if field.name in MEASURES}
        listed = sql.SQL(", ")
        read = (sql.SQL("{} {}").format(sql.Identifier(n), sql.SQL(t)) for n, t in {**measured, **_OF_EACH}.items())
        return cls(
            read=listed.join(read),
            names=listed.join(map(sql.Identifier, record.field_names)),
            values=listed.join(_value(record, field) for field in record.fields),
        )


def _value(record: Record, field: Field) -> sql.Composable:
    if field.name in MEASURES:
        own = sql.Identifier(field.name)
        absent = _ABSENT.get(field.kind) if field.required else None
        return own if absent is None else sql.SQL("coalesce({}, {})").format(own, absent)
    if field.name == record.key:
        return sql.Identifier("id")
    if field.kind == "reference" and field.references == ACCOUNT:
        return sql.Identifier("account")
    if field.kind == "reference" and field.references == API_KEY:
        return sql.Identifier("api_key")
    if not field.required:
        return sql.SQL("NULL::{}").format(sql.SQL(_type(field)))
    raise _unfilled(field)


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
