"""Writes rows as CSV that a spreadsheet opens as text."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO

# A cell that begins with one of these is read as a formula (CWE-1236).
_FORMULA = ("=", "+", "-", "@")


def csv_table(rows: Sequence[Mapping[str, str]]) -> str:
    """The rows under the names of their columns, RFC 4180 but for the line feed. All rows have the same columns."""
    assert rows, "a table has a row"
    text = StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
