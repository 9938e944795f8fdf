"""The columns of a data category and the ways to name them, as several rules need them."""

from collections.abc import Iterable

from crouter.policy.hints import meant
from crouter.policy.model import Policy
from crouter.policy.parts.data import DataCategory
from crouter.policy.problems import Path


def column_types(category: DataCategory) -> dict[str, str]:
    """Name and type of every column, fields first."""
    fields = {name: str(field.type) for name, field in category.fields.items()}
    return {**fields, **{name: str(column.type) for name, column in category.technical.items()}}


def column_path(name: str, category: DataCategory, column: str) -> Path:
    """Where in the file a column of the category `name` is declared."""
    return ("data", name, "fields" if column in category.fields else "technical", column)


def timestamps(category: DataCategory) -> list[str]:
    """The names of the columns of type timestamp."""
    return [name for name, kind in column_types(category).items() if kind == "timestamp"]


def has_age(category: DataCategory) -> bool:
    """Whether each row has a timestamp from which its age can be told: a field, or a required technical column."""
    fields = any(field.type == "timestamp" for field in category.fields.values())
    return fields or any(c.type == "timestamp" and not c.optional for c in category.technical.values())


def unknown_data(policy: Policy, field_path: str) -> tuple[str, str] | None:
    """Why `category` or `category.field` names no data, as sentence and hint; None if it does."""
    name, _, column = field_path.partition(".")
    category = policy.data.get(name)
    if category is None:
        return f"there is no data category `{name}`", meant(name, policy.data)
    if column and column not in column_types(category):
        return f"data.{name} has no field `{column}`", meant(column, column_types(category))
    return None


def values_of_kinds(category: DataCategory) -> dict[str, tuple[str, ...]]:
    """The columns of type `one_of` and what each may hold."""
    return {name: c.values or () for name, c in category.technical.items() if c.type == "one_of"}


def owners_of(policy: Policy, name: str) -> Iterable[str]:
    """The owner of a category, its owner and so on. Ends at an unknown one, and before one that came already."""
    seen = {name}
    category = policy.data.get(name)
    while category is not None and category.owner is not None and category.owner not in seen:
        seen.add(category.owner)
        yield category.owner
        category = policy.data.get(category.owner)
