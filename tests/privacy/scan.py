"""Searches for canaries in bytes, files, tables and the files of a database. Changes nothing."""

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.privacy.canaries import Canaries

_GZIP = re.compile(rb"\x1f\x8b\x08")
_ZLIB_HEADS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_INFLATED_MAX = 64 * 1024 * 1024
_AROUND = 200


@dataclass(frozen=True)
class Finding:
    """A canary where none may be: the sink, the place in it, the planted position and the encoding."""

    sink: str
    place: str
    position: str
    form: str


class Scan:
    """One search through many sinks for the canaries of one run."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._needles = canaries.needles()
        self.findings: list[Finding] = []
        # A sink in which nothing was looked at proves nothing.
        self.bytes_read: dict[str, int] = {}

    def data(self, sink: str, place: str, data: bytes) -> None:
        """Searches bytes, and what is compressed within them."""
        self.bytes_read[sink] = self.bytes_read.get(sink, 0) + len(data)
        for found in (data, *_inflated(data)):
            self.findings += self._found(sink, place, found)

    def files(self, sink: str, paths: Iterable[Path]) -> None:
        """Searches the contents and the names of files. One that vanishes meanwhile, or is another user's, is none
        that the service left behind.
        """
        for path in paths:
            self.data(sink, f"the name of {path.name}", path.name.encode())
            try:
                self.data(sink, str(path), path.read_bytes())
            except (FileNotFoundError, PermissionError):
                continue

    def tables(self, sink: str, dsn: str) -> None:
        """Searches every row of every table of a database, as text."""
        with psycopg.connect(dsn) as connection:
            for schema, table in connection.execute(_TABLES).fetchall():
                query = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, table))
                rows = connection.execute(query).fetchall()
                self.data(sink, f"{schema}.{table}", "\n".join(row[0] for row in rows).encode())

    def _found(self, sink: str, place: str, data: bytes) -> Iterator[Finding]:
        for needle in self._needles:
            at = data.find(needle.data)
            reported: set[str] = set()
            while at >= 0:
                around = data[max(0, at - _AROUND) : at + len(needle.data) + _AROUND]
                position = needle.term or self._canaries.planted_at(data[at : at + _AROUND] or around)
                if position not in reported:
                    reported.add(position)
                    yield Finding(sink, place, position, needle.form)
                at = data.find(needle.data, at + len(needle.data))


# Everything but the catalogue, which holds no rows of ours; partitions are tables of their own.
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""


def _inflated(data: bytes) -> Iterator[bytes]:
    starts = [(match.start(), 31) for match in _GZIP.finditer(data)]
    if data.startswith(_ZLIB_HEADS):
        starts.append((0, 15))
    for start, window in starts:
        try:
            whole = zlib.decompressobj(window).decompress(data[start:], _INFLATED_MAX)
        except zlib.error:
            continue
        if whole:
            yield whole
