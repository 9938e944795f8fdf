"""Reads the migrations of a folder: `<14 digits>_<name>.sql`, applied in the order of their names.

The layout is the one the Supabase CLI applies. Knows no database.
"""

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_FILE = re.compile(r"([0-9]{14})_([a-z0-9_]+)\.sql")


class MigrationsRefusedError(Exception):
    """Nothing was touched. `reason` is a word for scripts, the message says what to do."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `version` is its 14 digits, `sha256` the digest of its bytes in hex."""

    version: str
    name: str
    sha256: str
    statements: str

    @property
    def file_name(self) -> str:
        return f"{self.version}_{self.name}.sql"


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """Every migration of `folder`, oldest first; other files are left alone.

    Raises MigrationsRefusedError if there is none, if an SQL file has another kind of name, or if two share a version.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".sql")
    except OSError:
        paths = []
    if not paths:
        raise MigrationsRefusedError("no_migrations", f"{folder} holds no migrations: run `crouter generate` first")
    migrations = tuple(_read(path) for path in paths)
    for earlier, later in pairwise(migrations):
        if earlier.version == later.version:
            raise MigrationsRefusedError(
                "bad_migration_name", f"{earlier.file_name} and {later.file_name} have the same version: rename one"
            )
    return migrations


def _read(path: Path) -> Migration:
    named = _FILE.fullmatch(path.name)
    if named is None:
        raise MigrationsRefusedError(
            "bad_migration_name",
            f"{path.name} is no migration: its name is 14 digits, an underscore, lower-case words, .sql",
        )
    try:
        content = path.read_bytes()
        statements = content.decode()
    except (OSError, UnicodeDecodeError):
        raise MigrationsRefusedError(
            "bad_migration", f"{path.name} cannot be read as UTF-8 text: restore it from version control"
        ) from None
    return Migration(named[1], named[2], hashlib.sha256(content).hexdigest(), statements)
