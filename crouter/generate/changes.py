"""What leads from one schema to another: the statements in their order, a name for them, and what they destroy.

The order matters and is decided here: what depends on something goes before it and comes after it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crouter.generate.comparison import TablePair, table_pairs
from crouter.generate.partitioning import into_partitions, out_of_partitions, rest_of, without_partitions
from crouter.generate.statements import (
    TableStatements,
    create_roles,
    create_routine,
    create_schema,
    drop_routine,
)
from crouter.plan.schema import Constraint, Index, RowRule, Schema, Table, Trigger

_NAME_MAX = 80

Pairs = tuple[TablePair, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Statements that belong together, under a heading."""

    heading: str
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A migration before it has a version."""

    name: str
    steps: tuple[Step, ...]
    destroys: tuple[str, ...]
    """What rows lose by it: `table`, `table.column`, or `table.column=value` for a value that is no longer allowed."""


def change_between(old: Schema, new: Schema) -> Change:
    """The change from `old`, which may be without tables, to `new`."""
    leaving, joining = _moved(old, new)
    pairs = table_pairs(without_partitions(old, leaving), without_partitions(new, joining))
    sql = _Statements(new.name)
    found = (
        Step("Roles and schema", () if old.tables else (*create_roles(), *create_schema(new.name))),
        Step("Functions", tuple(_routines(old, new))),
        Step("Out of partitions", _of_tables(old, leaving, out_of_partitions)),
        Step("What goes", (*sql.removed_parts(pairs), *sql.removed_columns(pairs))),
        Step("Tables", (*sql.tables(pairs), *sql.constraints(pairs))),
        Step("References", tuple(sql.references(pairs))),
        Step("Indexes", tuple(sql.indexes(pairs))),
        Step("Comments: what a column is for, and where policy.yaml says so", tuple(sql.comments(pairs))),
        Step("Row-level security", tuple(sql.row_security(pairs))),
        Step("Grants", tuple(sql.grants(pairs))),
        Step("Triggers", tuple(sql.triggers(pairs))),
        Step("Into partitions, with the rows that are there", _of_tables(new, joining, into_partitions)),
        Step("Functions that nothing needs any more", tuple(_routines_gone(old, new))),
    )
    steps = tuple(step for step in found if step.statements)
    return Change(_name(pairs, leaving, joining), steps, tuple(_destroyed(pairs)))


def _moved(old: Schema, new: Schema) -> tuple[frozenset[str], frozenset[str]]:
    """Tables that leave the partitions they are in, and tables that are put into some."""
    before, after = ({table.name: table.partitioned_by for table in schema.tables} for schema in (old, new))
    moved = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    return frozenset(filter(before.get, moved)), frozenset(filter(after.get, moved))


def _of_tables(schema: Schema, names: frozenset[str], said: Callable[[str, Table], Iterator[str]]) -> tuple[str, ...]:
    tables = (table for table in schema.tables if table.name in names)
    return tuple(statement for table in tables for statement in said(schema.name, table))


def _routines(old: Schema, new: Schema) -> Iterator[str]:
    for routine in new.routines:
        if routine not in old.routines:
            yield from create_routine(new.name, routine)


def _routines_gone(old: Schema, new: Schema) -> Iterator[str]:
    kept = {(routine.name, routine.arguments) for routine in new.routines}
    for routine in reversed(old.routines):
        if (routine.name, routine.arguments) not in kept:
            yield drop_routine(new.name, routine)


def _constraints(table: Table) -> tuple[Constraint, ...]:
    return tuple(constraint for constraint in table.constraints if constraint.kind != "reference")


def _references(table: Table) -> tuple[Constraint, ...]:
    return tuple(constraint for constraint in table.constraints if constraint.kind == "reference")


def _indexes(table: Table) -> tuple[Index, ...]:
    return table.indexes


def _rules(table: Table) -> tuple[RowRule, ...]:
    return table.rules


def _triggers(table: Table) -> tuple[Trigger, ...]:
    return table.triggers


class _Statements:
    """The statements of each step, for all tables of one schema."""

    def __init__(self, schema: str) -> None:
        self._schema = schema

    def _about(self, pair: TablePair) -> TableStatements:
        return TableStatements(self._schema, pair.name)

    def removed_parts(self, pairs: Pairs) -> Iterator[str]:
        # References and row rules first, those of tables that go included: they stand on other tables.
        for pair in pairs:
            yield from (self._about(pair).drop_constraint(item.name) for item in pair.removed(_references))
            yield from (self._about(pair).drop_rule(item.name) for item in pair.removed(_rules))
        for pair in pairs:
            if pair.after is not None:
                about = self._about(pair)
                yield from (about.drop_trigger(item.name) for item in pair.removed(_triggers))
                yield from (about.drop_constraint(item.name) for item in pair.removed(_constraints))
                yield from (about.drop_index(item.name) for item in pair.removed(_indexes))

    def removed_columns(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            if pair.before is None:
                continue
            if pair.after is None:
                yield self._about(pair).drop()
                continue
            for column in pair.before.columns:
                if column.name in pair.gone_columns:
                    yield self._about(pair).drop_column(column.name)

    def tables(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            if pair.after is None:
                continue
            if pair.before is None:
                yield self._about(pair).create(pair.after)
                if pair.after.partitioned_by:
                    yield self._about(pair).create_rest(rest_of(pair.name))
                continue
            for column in pair.after.columns:
                if column.name in pair.new_columns:
                    yield self._about(pair).add_column(column)

    def constraints(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            # A new table was created with its constraints.
            if pair.before is not None:
                added = pair.added(_constraints)
                yield from (self._about(pair).add_constraint(item, old_rows=True) for item in added)

    def references(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            added = pair.added(_references)
            yield from (self._about(pair).add_constraint(item, old_rows=pair.before is not None) for item in added)

    def indexes(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            yield from (self._about(pair).create_index(item) for item in pair.added(_indexes))

    def comments(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            if pair.after is None:
                continue
            if pair.before is None or pair.before.comment != pair.after.comment:
                yield self._about(pair).comment(pair.after.comment)
            said = {column.name: column.comment for column in pair.before.columns} if pair.before else {}
            for column in pair.after.columns:
                if column.name in pair.new_columns or said[column.name] != column.comment:
                    yield self._about(pair).comment_column(column)

    def row_security(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            if pair.before is None:
                yield from self._about(pair).enable_row_security()
            if pair.before is None and pair.after is not None and pair.after.partitioned_by:
                yield TableStatements(self._schema, rest_of(pair.name)).secure_partition()
            yield from (self._about(pair).create_rule(item) for item in pair.added(_rules))

    def grants(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            if pair.after is None:
                continue
            if pair.before is None:
                yield self._about(pair).revoke_all()
            before = {grant.role: grant for grant in pair.before.grants} if pair.before else {}
            after = {grant.role: grant for grant in pair.after.grants}
            for role in dict.fromkeys((*after, *before)):
                # A column that is made anew has lost what was granted on it.
                if before.get(role) != after.get(role) or pair.retyped:
                    if role in before:
                        yield self._about(pair).revoke(role)
                    if role in after:
                        yield self._about(pair).grant(after[role])

    def triggers(self, pairs: Pairs) -> Iterator[str]:
        for pair in pairs:
            about = self._about(pair)
            known = {trigger.name for trigger in pair.before.triggers} if pair.before else set[str]()
            for trigger in pair.added(_triggers):
                yield about.create_trigger(trigger)
                # Afterwards: making it has waited for whoever was writing, and keeps others waiting.
                if trigger.opening and pair.before is not None and trigger.name not in known:
                    yield about.open_trigger(trigger)


def _destroyed(pairs: Pairs) -> Iterator[str]:
    for pair in pairs:
        if pair.before is None:
            continue
        if pair.after is None:
            yield pair.name
            continue
        for column in pair.before.columns:
            if column.name in pair.gone_columns:
                yield f"{pair.name}.{column.name}"
        allowed = {constraint.name: constraint.values for constraint in pair.after.constraints}
        for constraint in pair.before.constraints:
            for value in constraint.values:
                if allowed.get(constraint.name) and value not in allowed[constraint.name]:
                    yield f"{pair.name}.{constraint.columns[0]}={value}"


def _name(pairs: Pairs, leaving: frozenset[str], joining: frozenset[str]) -> str:
    """A name that tells what changes: `initial`, `add_account_company`, `drop_usage_model`, `change_ledger`."""
    if all(pair.before is None for pair in pairs):
        return "initial"
    gathered = {**dict.fromkeys(leaving, "gather"), **dict.fromkeys(joining, "partition")}
    parts = tuple(part for pair in pairs for part in _name_parts(pair, gathered.get(pair.name)))
    # What is left are functions of the schema.
    name = "_and_".join(parts) or "change_functions"
    return name if len(name) <= _NAME_MAX else f"{parts[0]}_and_{len(parts) - 1}_more"


def _name_parts(pair: TablePair, moved: str | None) -> tuple[str, ...]:
    if pair.before is None or pair.after is None:
        return (f"add_{pair.name}" if pair.before is None else f"drop_{pair.name}",)
    columns = (
        *(f"add_{pair.name}_{c.name}" for c in pair.after.columns if c.name in pair.new_columns - pair.retyped),
        *(f"drop_{pair.name}_{c.name}" for c in pair.before.columns if c.name in pair.gone_columns - pair.retyped),
        *(f"change_{pair.name}_{c.name}" for c in pair.after.columns if c.name in pair.retyped),
    )
    partitions = (f"{moved}_{pair.name}",) if moved else ()
    return (*columns, *partitions) or ((f"change_{pair.name}",) if _differs(pair) else ())


def _differs(pair: TablePair) -> bool:
    assert pair.before is not None
    assert pair.after is not None
    parts = (_constraints, _references, _indexes, _rules, _triggers)
    differ = (pair.added(part) or pair.removed(part) for part in parts)
    return any(differ) or set(pair.before.grants) != set(pair.after.grants)
