"""Writes the ZIP of a copy from rows that come one after the other: data as JSON, as CSV, and as a page to read.

Memory does not grow with the rows. Each form goes through the rows once more, so they have to be the same each time:
the caller reads them in one snapshot.
"""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any, BinaryIO, Final, cast

from crouter.runtime.copies.contents import CopiedRecord
from crouter.runtime.copies.schema import json_schema

Rows = Callable[[CopiedRecord], Iterator[tuple[Any, ...]]]
"""Gives the rows of a category, the same ones each time; values in the order of its columns."""

BUFFER_BYTES: Final = 256 * 1024
PAGE_ROWS_MAX: Final = 500
"""So many rows of a category stand on the page; a browser shows no million of them. The other files have all."""

# A table program takes a cell that begins so for a formula, and a name may begin with anything.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Copy:
    """What one copy is of. `left_out` says what is not in it, and why."""

    service: str
    contact: str
    made_at: datetime
    records: tuple[CopiedRecord, ...]
    left_out: Mapping[str, str]
    formats: tuple[str, ...]


def write_archive(out: BinaryIO, copy: Copy, rows: Rows, progress: Callable[[int], None]) -> None:
    """The whole file into `out`, which is only ever appended to. `progress` is told the rows of each step."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        files = _Files(archive, copy.made_at)
        if "json" in copy.formats:
            with files.file("data.json") as file:
                _write_json(file, copy, rows, progress)
            with files.file("schema.json") as file:
                file.write(json_schema(copy.records))
        if "csv" in copy.formats:
            for copied in copy.records:
                with files.file(f"csv/{copied.name}.csv") as file:
                    _write_csv(file, copied, rows, progress)
        if "html" in copy.formats:
            with files.file("index.html") as file:
                _write_page(file, copy, rows)


class _Files:
    def __init__(self, archive: zipfile.ZipFile, made_at: datetime) -> None:
        self._archive = archive
        self._date = made_at.astimezone(UTC).timetuple()[:6]

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        entry = zipfile.ZipInfo(name, self._date)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        with self._archive.open(entry, "w", force_zip64=True) as file:
            buffered = io.BufferedWriter(cast("io.RawIOBase", file), BUFFER_BYTES)
            yield cast("BinaryIO", buffered)
            buffered.flush()
            buffered.detach()


def _write_json(file: BinaryIO, copy: Copy, rows: Rows, progress: Callable[[int], None]) -> None:
    file.write(b'{\n"$schema": "schema.json"')
    for copied in copy.records:
        file.write(f",\n{json.dumps(copied.name)}: [".encode())
        names = [field.name for field in copied.columns]
        for number, row in enumerate(rows(copied)):
            told = {name: _told(value) for name, value in zip(names, row, strict=True)}
            file.write((",\n  " if number else "\n  ").encode() + json.dumps(told, ensure_ascii=False).encode())
            progress(1)
        file.write(b"\n]")
    file.write(b"\n}\n")


def _write_csv(file: BinaryIO, copied: CopiedRecord, rows: Rows, progress: Callable[[int], None]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow([field.name for field in copied.columns])
    for row in rows(copied):
        writer.writerow([_cell(value) for value in row])
        progress(1)
    text.flush()
    text.detach()


def _write_page(file: BinaryIO, copy: Copy, rows: Rows) -> None:
    for line in _page(copy, rows):
        file.write(line.encode() + b"\n")


def _page(copy: Copy, rows: Rows) -> Iterator[str]:
    moment = copy.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield from (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Your data at {escape(copy.service)}</title>",
        "<style>body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}"
        "table{border-collapse:collapse;display:block;overflow-x:auto}th,td{border:1px solid #999;padding:.2rem .5rem;"
        "text-align:left;white-space:nowrap}</style></head>",
        f"<body><h1>Your data at {escape(copy.service)}</h1>",
        f"<p>Everything that was kept about you on {moment}. The same is in data.json, with its form in schema.json, ",
        "and in the folder csv.</p>",
    )
    for copied in copy.records:
        yield from _category(copied, rows(copied))
    yield "<h2>What is not in it</h2><ul>"
    yield from (f"<li><code>{escape(what)}</code>: {escape(why)}</li>" for what, why in copy.left_out.items())
    yield "</ul>"
    yield f"<p>Questions: {escape(copy.contact)}</p></body></html>"


def _category(copied: CopiedRecord, rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    yield f"<h2>{escape(copied.record.label)}</h2>"
    shown = 0
    for row in rows:
        if shown == 0:
            yield f"<table><tr>{_cells('th', [field.label for field in copied.columns])}</tr>"
        if shown == PAGE_ROWS_MAX:
            yield f"</table><p>There are more: csv/{escape(copied.name)}.csv has all of them.</p>"
            return
        shown += 1
        yield f"<tr>{_cells('td', [_shown(value) for value in row])}</tr>"
    yield "</table>" if shown else "<p>Nothing.</p>"


def _cells(tag: str, values: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(value)}</{tag}>" for value in values)


def _told(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, dict)):
        return value
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _shown(value: Any) -> str:
    told = _told(value)
    return "" if told is None else json.dumps(told) if isinstance(told, dict) else str(told)


def _cell(value: Any) -> str:
    shown = _shown(value)
    is_text = not isinstance(value, int)
    return f"'{shown}" if is_text and shown.startswith(_FORMULA) else shown
