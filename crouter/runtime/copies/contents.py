"""What a copy holds: every declared column of the records that belong to one account, but for the few named here.

It follows from the same declarations as the schema, the purges and the erasure. A column that is declared tomorrow is
in the copies of tomorrow; nothing has to remember it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from crouter.contract.data import ColumnKind, Field, Record
from crouter.contract.deployment import Deployment
from crouter.runtime.names import ACCOUNT, COPY_PIECE
from crouter.runtime.purposes import owner_field

_WITHHELD: Final[Mapping[ColumnKind, str]] = {
    "sealed": "a secret: in a file it could be used by whoever finds it; what tells it apart is beside it",
    "keyed_hash": "a keyed hash: it says nothing without a key of ours, and is made from what is beside it",
}
"""Kinds of columns that no copy holds. An API key is told by its last four characters and its dates: who asks for a
copy has the key already, and a copy that can spend money is a danger to its owner."""

_LEFT_OUT: Final[Mapping[str, str]] = {COPY_PIECE: "the copies themselves, in sealed pieces"}


@dataclass(frozen=True, slots=True)
class CopiedRecord:
    """One category of a copy: its columns in declared order, and those it withholds with the reason."""

    record: Record
    columns: tuple[Field, ...]
    withheld: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def order(self) -> tuple[str, ...]:
        """Columns by which rows are put in order: by time where they have one."""
        times = [field.name for field in self.columns if field.kind == "timestamp" and field.required]
        return (*times[:1], self.record.key)


def copied_records(deployment: Deployment) -> tuple[CopiedRecord, ...]:
    """The records of a copy, in declared order."""
    return tuple(
        _copied(record)
        for record in deployment.records
        if belongs_to_account(deployment, record) and record.name not in _LEFT_OUT
    )


def belongs_to_account(deployment: Deployment, record: Record) -> bool:
    """Whether each row is an account's own, directly or through what it belongs to."""
    while record.name != ACCOUNT:
        if record.owner is None:
            return False
        record = deployment.record(record.owner)
    return True


def left_out(deployment: Deployment) -> dict[str, str]:
    """What belongs to a person and is in no copy, as `record` or `record.column`, with the reason."""
    columns = {
        f"{copied.name}.{name}": reason
        for copied in copied_records(deployment)
        for name, reason in copied.withheld.items()
    }
    declared = {record.name for record in deployment.records}
    return {**{name: reason for name, reason in _LEFT_OUT.items() if name in declared}, **columns}


def whose(deployment: Deployment, record: Record) -> sql.Composable:
    """The condition that a row is that of one account, a placeholder."""
    if record.name == ACCOUNT:
        return sql.SQL("{} = %s").format(sql.Identifier(record.key))
    assert record.owner is not None, "asked of records that belong to an account"
    column, owner = sql.Identifier(owner_field(record)), deployment.record(record.owner)
    if owner.name == ACCOUNT:
        return sql.SQL("{} = %s").format(column)
    return sql.SQL("{} IN (SELECT {} FROM {} WHERE {})").format(
        column,
        sql.Identifier(owner.key),
        sql.Identifier(deployment.database_schema, owner.name),
        whose(deployment, owner),
    )


def _copied(record: Record) -> CopiedRecord:
    return CopiedRecord(
        record=record,
        columns=tuple(field for field in record.fields if field.kind not in _WITHHELD),
        withheld={field.name: _WITHHELD[field.kind] for field in record.fields if field.kind in _WITHHELD},
    )
