"""Reads fields for a purpose. What is personal is read for a declared purpose or not at all."""

import uuid
from collections.abc import Iterable
from typing import Any

from psycopg import sql

from crouter.contract.data import Record
from crouter.contract.deployment import Deployment
from crouter.runtime.database.pool import Database


class PurposeRefusedError(Exception):
    """A field was asked for a purpose that the policy does not declare for it."""


def require_purpose(record: Record, fields: Iterable[str], purpose: str) -> None:
    """Refuses personal fields that may not be read for `purpose`, and undeclared fields.

    Technical fields join and order rows; they tell nothing about a person and need no purpose.
    Raises PurposeRefusedError.
    """
    for name in fields:
        if name not in record.field_names:
            raise PurposeRefusedError(f"{record.name}.{name} is not declared")
        field = record.field(name)
        if field.personal and purpose not in field.purposes:
            raise PurposeRefusedError(f"{record.name}.{name} may not be read for {purpose}")


class PurposeReader:
    """Reads declared records for declared purposes."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self._deployment = deployment
        self._database = database

    async def newest(
        self, record: str, fields: tuple[str, ...], purpose: str, *, owner: uuid.UUID, order: str, limit: int
    ) -> list[dict[str, Any]]:
        """The `limit` rows of an owner with the greatest `order`, newest first, as dictionaries.

        Raises PurposeRefusedError, DatabaseError.
        """
        declared = self._deployment.record(record)
        require_purpose(declared, (*fields, order), purpose)
        query = sql.SQL("SELECT {fields} FROM {table} WHERE {owner} = %s ORDER BY {order} DESC LIMIT %s").format(
            fields=sql.SQL(", ").join(map(sql.Identifier, fields)),
            table=self._database.table(record),
            owner=sql.Identifier(owner_field(declared)),
            order=sql.Identifier(order),
        )
        rows = await self._database.rows(query, (owner, limit))
        return [dict(zip(fields, row, strict=True)) for row in rows]

    async def total(self, record: str, field: str, purpose: str, *, owner: uuid.UUID) -> int:
        """The sum of a field over the rows of an owner; 0 without rows. Raises PurposeRefusedError, DatabaseError."""
        declared = self._deployment.record(record)
        require_purpose(declared, (field,), purpose)
        query = sql.SQL("SELECT coalesce(sum({field}), 0) FROM {table} WHERE {owner} = %s").format(
            field=sql.Identifier(field),
            table=self._database.table(record),
            owner=sql.Identifier(owner_field(declared)),
        )
        rows = await self._database.rows(query, (owner,))
        return int(rows[0][0])

    async def field(self, record: str, field: str, purpose: str, *, key: uuid.UUID) -> Any:
        """One field of one row, None if there is no such row. Raises PurposeRefusedError, DatabaseError."""
        declared = self._deployment.record(record)
        require_purpose(declared, (field,), purpose)
        query = sql.SQL("SELECT {field} FROM {table} WHERE {key} = %s").format(
            field=sql.Identifier(field), table=self._database.table(record), key=sql.Identifier(declared.key)
        )
        rows = await self._database.rows(query, (key,))
        return rows[0][0] if rows else None

    async def row(
        self, record: str, fields: tuple[str, ...], purpose: str, *, key: uuid.UUID, owner: uuid.UUID
    ) -> dict[str, Any] | None:
        """One row as a dictionary, None if the owner has no such row. Raises PurposeRefusedError, DatabaseError."""
        declared = self._deployment.record(record)
        require_purpose(declared, fields, purpose)
        query = sql.SQL("SELECT {fields} FROM {table} WHERE {key} = %s AND {owner} = %s").format(
            fields=sql.SQL(", ").join(map(sql.Identifier, fields)),
            table=self._database.table(record),
            key=sql.Identifier(declared.key),
            owner=sql.Identifier(owner_field(declared)),
        )
        rows = await self._database.rows(query, (key, owner))
        return dict(zip(fields, rows[0], strict=True)) if rows else None


def owner_field(record: Record) -> str:
    """The column that refers to the record's owner. Raises KeyError when the record has none."""
    return reference_field(record, record.owner)


def reference_field(record: Record, name: str | None) -> str:
    """The column that refers to another record. Raises KeyError when there is none."""
    for field in record.fields:
        if field.kind == "reference" and field.references == name:
            return field.name
    raise KeyError(record.name)
