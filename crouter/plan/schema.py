"""What a database looks like: tables and what belongs to them. Values only; `statements.py` says them in SQL.

Definitions hold SQL text that is quoted already. Everything has a name, so that two schemas can be compared by name.
"""

from dataclasses import dataclass
from typing import Literal

SCHEMA = "crouter"
"""The PostgreSQL schema that holds every table."""

ConstraintKind = Literal["key", "unique", "check", "required", "reference"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. It accepts NULL; a constraint of kind `required` says when it may not."""

    name: str
    sql_type: str
    comment: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """A named constraint. `columns` are those whose going takes the constraint with them."""

    name: str
    kind: ConstraintKind
    columns: tuple[str, ...]
    definition: str
    values: tuple[str, ...] = ()
    """For a column that holds one of some words: these words."""
    refers_to: str | None = None
    """For a reference: the table whose key it refers to."""


@dataclass(frozen=True, slots=True)
class Index:
    """A named index over columns, in their order."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowRule:
    """A row-level security policy: which rows `role` may touch with `command`."""

    name: str
    command: Literal["ALL", "SELECT"]
    role: str
    using: str
    columns: tuple[str, ...] = ()
    """The columns that decide whose row it is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a role may do with a table. A privilege may name the columns it is limited to."""

    role: str
    privileges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routine:
    """A function of the schema. `arguments` are the types by which it is told apart; `executor` may call it."""

    name: str
    arguments: tuple[str, ...]
    definition: str
    """Everything after the name: arguments, what it gives, how it works."""
    executor: str | None


@dataclass(frozen=True, slots=True)
class Trigger:
    """A routine that runs with every statement of some kind on a table."""

    name: str
    event: str
    """Everything between the name and the table: when, and on what."""
    means: str
    """Everything after the table: what the routine sees, and its call."""
    opening: str = ""
    """What is done once, where rows are there that were written without it. A routine's name, or nothing."""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One table: one data category of the policy."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]
    rules: tuple[RowRule, ...]
    grants: tuple[Grant, ...]
    partitioned_by: str | None = None
    """The timestamp whose ranges are partitions of the table. Which there are does not stand here: jobs make them."""
    triggers: tuple[Trigger, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """All tables, each name once."""

    name: str
    tables: tuple[Table, ...]
    routines: tuple[Routine, ...] = ()
