"""What the next migration does, as changes that people read beside those of the policy. The SQL is `changes.py`."""

from collections.abc import Iterator

from crouter.generate.changes import change_between
from crouter.generate.comparison import TablePair, table_pairs
from crouter.generate.state import structure_digest
from crouter.plan.difference.change import Change, Kind
from crouter.plan.schema import Schema


def database_changes(before: Schema, after: Schema) -> tuple[Change, ...]:
    """Each step from one schema to another; what it destroys is named as `--destroy` wants it. Pure."""
    if structure_digest(before) == structure_digest(after):
        return ()
    destroyed = set(change_between(before, after).destroys)
    found = tuple(change for pair in table_pairs(before, after) for change in _of_table(pair, destroyed))
    told = {change.destroys for change in found}
    return (*found, *(_value_gone(name) for name in sorted(destroyed - told)))


def _of_table(pair: TablePair, destroyed: set[str]) -> Iterator[Change]:
    if pair.before is None or pair.after is None:
        made = pair.before is None
        summary = f"the table {pair.name} is {'made' if made else 'dropped with all its rows'}"
        yield _change("added" if made else "removed", pair.name, summary, destroyed)
        return
    for column in pair.after.columns:
        name = f"{pair.name}.{column.name}"
        if column.name in pair.retyped:
            yield _change("changed", name, f"the column {name} is made anew as {column.sql_type}, empty", destroyed)
        elif column.name in pair.new_columns:
            yield _change("added", name, f"the column {name} is added ({column.sql_type})", destroyed)
    for column in pair.before.columns:
        if column.name in pair.gone_columns - pair.retyped:
            name = f"{pair.name}.{column.name}"
            yield _change("removed", name, f"the column {name} is dropped with all it holds", destroyed)
    yield from _conditions(pair, destroyed)


def _conditions(pair: TablePair, destroyed: set[str]) -> Iterator[Change]:
    """Constraints, indexes, row rules, grants and partitions that change beside the columns; one change for a table."""
    assert pair.before is not None
    assert pair.after is not None
    parts = {
        "constraints": pair.before.constraints != pair.after.constraints,
        "indexes": pair.before.indexes != pair.after.indexes,
        "row rules": pair.before.rules != pair.after.rules,
        "grants": set(pair.before.grants) != set(pair.after.grants),
        "partitions": pair.before.partitioned_by != pair.after.partitioned_by,
    }
    differing = [name for name, differs in parts.items() if differs]
    if differing:
        summary = f"{', '.join(differing)} of the table {pair.name} change"
        yield _change("changed", f"{pair.name} conditions", summary, destroyed)


def _value_gone(name: str) -> Change:
    summary = f"rows may no longer hold {name}: those that do have to go first"
    return Change("database", "removed", (), summary, destroys=name, subject=f"value {name}")


def _change(kind: Kind, name: str, summary: str, destroyed: set[str]) -> Change:
    destroys = name if name in destroyed else None
    return Change("database", kind, (), summary, destroys=destroys, subject=f"database {name}")
