"""What the macro `table` of `parts.html.jinja` draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Style = Literal["word", "number", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column. `number` is set to the right."""

    label: str
    style: Style = "word"


@dataclass(frozen=True, slots=True)
class Table:
    """Cells are text, or markup that was made by a template. `foot` is a last row of sums, or empty.

    The first column names the row, for whoever listens to the table.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Any]]
    foot: Sequence[Any] = ()
