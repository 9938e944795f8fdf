"""Which rows may go without leaving a reference to nothing behind."""

from collections.abc import Sequence

from psycopg import sql

from crouter.contract.data import Field, Record


def referring(records: Sequence[Record], to: str) -> tuple[tuple[Record, Field], ...]:
    """Every column that names rows of the record `to`."""
    return tuple((record, field) for record in records for field in record.fields if field.references == to)


def unreferenced(records: Sequence[Record], record: Record, alias: str) -> sql.Composed:
    """The condition that no row has to refer to the row `alias` of `record`; optional references are forgotten."""
    required = tuple((child, field) for child, field in referring(records, record.name) if field.required)
    return no_row_refers(required, sql.Identifier(alias, record.key))


def no_row_refers(columns: Sequence[tuple[Record, Field]], key: sql.Composable) -> sql.Composed:
    """The condition that none of these columns holds `key`."""
    conditions = [
        sql.SQL("NOT EXISTS (SELECT FROM {} AS r WHERE {} = {})").format(
            sql.Identifier(child.name), sql.Identifier("r", field.name), key
        )
        for child, field in columns
    ]
    return sql.SQL(" AND ").join(conditions) if conditions else sql.Composed([sql.SQL("true")])


def owner_column(record: Record, owner: str) -> str:
    """The column of an owned record that names its owner: `<owner>_id`, or else the first that refers to it."""
    columns = [field.name for field in record.fields if field.references == owner]
    named = f"{owner}_id"
    return named if named in columns or not columns else columns[0]
