"""Two schemas side by side, table by table: which parts go, which come, which have to be made anew.

Parts are compared by name. A rename is not guessed: the old name goes and the new one comes.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Protocol, TypeVar

from crouter.plan.schema import Constraint, Schema, Table


class Part(Protocol):
    """A constraint, an index or a row rule: it has a name and stands on columns."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...


_P = TypeVar("_P", bound=Part)


class TablePair:
    """One table before and after; either may be missing. `moved_keys` names tables whose key becomes another."""

    def __init__(self, before: Table | None, after: Table | None, moved_keys: frozenset[str]) -> None:
        present = after or before
        assert present is not None
        self.name = present.name
        self.before, self.after = before, after
        self._moved_keys = moved_keys

    @cached_property
    def retyped(self) -> frozenset[str]:
        """Columns that are made anew because their type changed."""
        old, new = _types(self.before), _types(self.after)
        return frozenset(name for name in old.keys() & new.keys() if old[name] != new[name])

    @cached_property
    def new_columns(self) -> frozenset[str]:
        """Columns that come to a table that is there already."""
        return frozenset(_types(self.after).keys() - _types(self.before).keys()) | self.retyped

    @cached_property
    def gone_columns(self) -> frozenset[str]:
        """Columns that go, with what they hold."""
        return frozenset(_types(self.before).keys() - _types(self.after).keys()) | self.retyped

    def removed(self, parts: Callable[[Table], tuple[_P, ...]]) -> tuple[_P, ...]:
        """Those of the table before that do not stay as they are."""
        return self._unlike(_parts(self.before, parts), _parts(self.after, parts))

    def added(self, parts: Callable[[Table], tuple[_P, ...]]) -> tuple[_P, ...]:
        """Those of the table after that were not there as they are."""
        return self._unlike(_parts(self.after, parts), _parts(self.before, parts))

    def _unlike(self, mine: Iterable[_P], others: Iterable[_P]) -> tuple[_P, ...]:
        known = {part.name: part for part in others}
        return tuple(part for part in mine if known.get(part.name) != part or self._is_renewed(part))

    def _is_renewed(self, part: Part) -> bool:
        """Whether an unchanged part has to be made again, because what it stands on is."""
        refers_to = part.refers_to if isinstance(part, Constraint) else None
        return not self.retyped.isdisjoint(part.columns) or refers_to in self._moved_keys


def table_pairs(old: Schema, new: Schema) -> tuple[TablePair, ...]:
    """Every table of either schema, in the order of the newer one; tables that go stand last."""
    before = {table.name: table for table in old.tables}
    after = {table.name: table for table in new.tables}
    names = (*after, *(name for name in before if name not in after))
    moved = frozenset(name for name in names if _key(before.get(name)) != _key(after.get(name)))
    return tuple(TablePair(before.get(name), after.get(name), moved) for name in names)


def _types(table: Table | None) -> dict[str, str]:
    return {column.name: column.sql_type for column in table.columns} if table else {}


def _parts(table: Table | None, parts: Callable[[Table], tuple[_P, ...]]) -> tuple[_P, ...]:
    return parts(table) if table else ()


def _key(table: Table | None) -> tuple[str, ...]:
    if table is None:
        return ()
    types = _types(table)
    return next(
        (constraint.definition, *(types[column] for column in constraint.columns))
        for constraint in table.constraints
        if constraint.kind == "key"
    )
