"""The statements that put a table with rows into partitions, or take it out of them, in the transaction of a migration.

Into partitions nothing is copied: the table as it is becomes the partition for the rest, with its rows and indexes, and
a new table around it takes its name. Jobs make the other partitions for rows to come; the old rows go one by one as
they reach their age. Out of partitions every row is copied, and counted before the partitions go.
"""

from collections.abc import Iterator
from dataclasses import replace

from crouter.generate.statements import TableStatements
from crouter.plan.partition_routines import REST_SUFFIX
from crouter.plan.schema import Constraint, Schema, Table
from crouter.plan.sql import identifier, relation_name

_BEFORE_SUFFIX = "__before"


def rest_of(table: str) -> str:
    """The name of the partition for rows of which no other one is there."""
    return table + REST_SUFFIX


def plain(table: Table) -> Table:
    """The table as it would be without partitions."""
    keys = {item.name: _plain_key(item) for item in table.constraints if item.kind == "key"}
    constraints = tuple(keys.get(item.name, item) for item in table.constraints)
    return replace(table, partitioned_by=None, constraints=constraints)


def without_partitions(schema: Schema, tables: frozenset[str]) -> Schema:
    """The schema with these tables as they would be without partitions."""
    return replace(schema, tables=tuple(plain(t) if t.name in tables else t for t in schema.tables))


def into_partitions(schema: str, table: Table) -> Iterator[str]:
    """From `plain(table)` to `table`."""
    whole, rest = TableStatements(schema, table.name), TableStatements(schema, rest_of(table.name))
    (key,) = (item for item in table.constraints if item.kind == "key")
    yield whole.drop_constraint(key.name)
    yield from (whole.drop_rule(rule.name) for rule in table.rules)
    yield from (whole.drop_trigger(trigger.name) for trigger in table.triggers)
    for index in table.indexes:
        yield whole.rename_index(index.name, relation_name(rest_of(table.name), *index.columns, "index"))
    yield from (whole.never_null(column) for column in key.columns)
    yield whole.rename(rest_of(table.name))
    yield whole.create(_without_required(table))
    yield whole.attach_rest(rest_of(table.name))
    yield from _dressed(whole, table)
    yield rest.secure_partition()


def out_of_partitions(schema: str, table: Table) -> Iterator[str]:
    """From `table` to `plain(table)`."""
    before, whole, made = table.name + _BEFORE_SUFFIX, TableStatements(schema, table.name), plain(table)
    (key,) = (item for item in table.constraints if item.kind == "key")
    yield whole.drop_constraint(key.name)
    yield from (whole.drop_index(index.name) for index in table.indexes)
    yield whole.show_owner_all()
    yield whole.rename(before)
    yield whole.create(_without_required(made))
    yield whole.fill_from(before, tuple(column.name for column in table.columns))
    yield from _dressed(whole, made)
    yield TableStatements(schema, before).drop()


def _plain_key(key: Constraint) -> Constraint:
    first = key.columns[0]
    return replace(key, columns=(first,), definition=f"PRIMARY KEY ({identifier(first)})")


def _without_required(table: Table) -> Table:
    return replace(table, constraints=tuple(item for item in table.constraints if item.kind != "required"))


def _dressed(whole: TableStatements, table: Table) -> Iterator[str]:
    """What belongs to a table that was made without it: rows that are there already may lack what is required."""
    late = (item for item in table.constraints if item.kind in ("required", "reference"))
    yield from (whole.add_constraint(item, old_rows=True) for item in late)
    yield from (whole.create_index(index) for index in table.indexes)
    yield whole.comment(table.comment)
    yield from (whole.comment_column(column) for column in table.columns)
    yield from whole.enable_row_security()
    yield from (whole.create_rule(rule) for rule in table.rules)
    yield whole.revoke_all()
    yield from (whole.grant(grant) for grant in table.grants)
    yield from (whole.create_trigger(trigger) for trigger in table.triggers)
