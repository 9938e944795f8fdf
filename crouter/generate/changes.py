"""What leads from one schema to another: the statements in their order, a name for them, and what they destroy.

The order matters and is decided here: what depends on something goes before it and comes after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crouter.generate.comparison import TablePair, table_pairs
from crouter.generate.statements import TableStatements, create_roles, create_schema
from crouter.plan.schema import Constraint, Index, RowRule, Schema, Table

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
    pairs = table_pairs(old, new)
    sql = _Statements(new.name)
    found = (
        Step("Roles and schema", () if old.tables else (*create_roles(), *create_schema(new.name))),
        Step("What goes", (*sql.removed_parts(pairs), *sql.removed_columns(pairs))),
        Step("Tables", (*sql.tables(pairs), *sql.constraints(pairs))),
        Step("References", tuple(sql.references(pairs))),
        Step("Indexes", tuple(sql.indexes(pairs))),
        Step("Comments: what a column is for, and where policy.yaml says so", tuple(sql.comments(pairs))),
        Step("Row-level security", tuple(sql.row_security(pairs))),
        Step("Grants", tuple(sql.grants(pairs))),
    )
    return Change(_name(pairs), tuple(step for step in found if step.statements), tuple(_destroyed(pairs)))


def _constraints(table: Table) -> tuple[Constraint, ...]:
    return tuple(constraint for constraint in table.constraints if constraint.kind != "reference")


def _references(table: Table) -> tuple[Constraint, ...]:
    return tuple(constraint for constraint in table.constraints if constraint.kind == "reference")


def _indexes(table: Table) -> tuple[Index, ...]:
    return table.indexes


def _rules(table: Table) -> tuple[RowRule, ...]:
    return table.rules


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


def _name(pairs: Pairs) -> str:
    """A name that tells what changes: `initial`, `add_account_company`, `drop_usage_model`, `change_ledger`."""
    if all(pair.before is None for pair in pairs):
        return "initial"
    parts = tuple(part for pair in pairs for part in _name_parts(pair))
    name = "_and_".join(parts)
    return name if len(name) <= _NAME_MAX else f"{parts[0]}_and_{len(parts) - 1}_more"


def _name_parts(pair: TablePair) -> tuple[str, ...]:
    if pair.before is None or pair.after is None:
        return (f"add_{pair.name}" if pair.before is None else f"drop_{pair.name}",)
    columns = (
        *(f"add_{pair.name}_{c.name}" for c in pair.after.columns if c.name in pair.new_columns - pair.retyped),
        *(f"drop_{pair.name}_{c.name}" for c in pair.before.columns if c.name in pair.gone_columns - pair.retyped),
        *(f"change_{pair.name}_{c.name}" for c in pair.after.columns if c.name in pair.retyped),
    )
    return columns or ((f"change_{pair.name}",) if _differs(pair) else ())


def _differs(pair: TablePair) -> bool:
    assert pair.before is not None
    assert pair.after is not None
    parts = (_constraints, _references, _indexes, _rules)
    differ = (pair.added(part) or pair.removed(part) for part in parts)
    return any(differ) or set(pair.before.grants) != set(pair.after.grants)
