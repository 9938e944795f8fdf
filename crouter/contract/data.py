"""Declares what is kept: purposes, fields and records. A record is one table."""

from dataclasses import dataclass
from typing import Literal

ColumnKind = Literal[
    "uuid",
    "reference",
    "text",
    "email",
    "count",
    "counts",
    "words",
    "nanousd",
    "timestamp",
    "date",
    "keyed_hash",
    "sealed",
    "one_of",
]


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data may be read. `basis` is the legal basis of GDPR Article 6(1)."""

    name: str
    label: str
    basis: str


@dataclass(frozen=True, slots=True)
class Field:
    """One column.

    `personal` fields are those a person would recognise as data about them; they name the purposes for which they
    may be read. `source` is the kind of source that fills the field: identity, measurement or service.
    """

    name: str
    kind: ColumnKind
    label: str
    policy_path: str
    personal: bool = False
    required: bool = True
    purposes: tuple[str, ...] = ()
    source: str = "service"
    references: str | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One table: exactly these columns. `owner` names the record whose row owns these rows."""

    name: str
    label: str
    policy_path: str
    key: str
    fields: tuple[Field, ...]
    owner: str | None = None

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError when it is not declared."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all columns, in declared order."""
        return tuple(field.name for field in self.fields)
