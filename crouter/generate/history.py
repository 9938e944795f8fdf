"""The migrations that exist, read from generated/database/migrations: an input of `render_all`, never its result alone.

Migrations were applied to somebody's database, so they are kept to the byte. history.json names each with its digest,
tells the schema that stands after the last one, and carries a digest of itself: a change to any of these files is
damage, which `read_history` reports and only version control can mend.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crouter.generate.state import schema_of, state_of, structure_digest
from crouter.plan.schema import SCHEMA, Schema

FOLDER = "database/migrations"
HISTORY = f"{FOLDER}/history.json"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the database. `version` has 14 digits, as the Supabase CLI names its files."""

    version: str
    name: str
    sha256: str
    structure: str
    """The digest of the structure that stands after it."""
    destroys: tuple[str, ...]
    """What rows lose by it: `table`, `table.column` or `table.column=value`."""

    @property
    def path(self) -> str:
        """Where it stands, from generated/."""
        return f"{FOLDER}/{self.version}_{self.name}.sql"


@dataclass(frozen=True, slots=True)
class Damage:
    """A file of the history that is not what was generated. `path` is from generated/."""

    path: str
    sentence: str


class HistoryDamagedError(Exception):
    """The migrations on disk cannot be trusted; nothing may be generated on top of them."""

    def __init__(self, damages: tuple[Damage, ...]) -> None:
        self.damages = damages
        lines = (f"generated/{damage.path} {damage.sentence}" for damage in damages)
        super().__init__("; ".join(lines) + "\n  hint: restore it from version control")


@dataclass(frozen=True, slots=True)
class History:
    """All migrations in order, their text, and the schema after the last one."""

    migrations: tuple[Migration, ...]
    texts: tuple[str, ...]
    schema: Schema

    @classmethod
    def empty(cls) -> "History":
        """No migration yet."""
        return cls((), (), Schema(SCHEMA, ()))

    def followed_by(self, migration: Migration, text: str, schema: Schema) -> "History":
        """This history and one more migration, which leads to `schema`."""
        return History((*self.migrations, migration), (*self.texts, text), schema)

    def files(self) -> dict[str, str]:
        """The text of every file of the history, by its path from generated/."""
        texts = {migration.path: text for migration, text in zip(self.migrations, self.texts, strict=True)}
        return {**texts, HISTORY: history_json(self)}


_MIGRATIONS: TypeAdapter[tuple[Migration, ...]] = TypeAdapter(tuple[Migration, ...])


def text_digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def history_json(history: History) -> str:
    """The text of history.json."""
    body = {
        "migrations": _MIGRATIONS.dump_python(history.migrations, mode="json"),
        "schema": state_of(history.schema),
    }
    return _json({"digest": text_digest(_json(body)), **body})


def read_history(generated: Path) -> History:
    """The history below `generated`; empty where nothing was generated yet. Raises HistoryDamagedError, OSError."""
    if not (generated / HISTORY).is_file():
        if _was_generated(generated):
            raise HistoryDamagedError((Damage(HISTORY, "is missing"),))
        return History.empty()
    migrations, schema = _read_index(generated / HISTORY)
    damages, texts = [], []
    for migration in migrations:
        content = _content(generated / migration.path)
        if content is None:
            damages.append(Damage(migration.path, "is missing"))
        elif sha256(content).hexdigest() != migration.sha256:
            damages.append(Damage(migration.path, "was changed after it was generated"))
        else:
            texts.append(content.decode())
    if damages:
        raise HistoryDamagedError(tuple(damages))
    return History(migrations, tuple(texts), schema)


def _was_generated(generated: Path) -> bool:
    return any((generated / FOLDER).glob("*.sql")) or (generated / "MANIFEST.json").is_file()


def _read_index(path: Path) -> tuple[tuple[Migration, ...], Schema]:
    text = path.read_bytes()
    try:
        index = json.loads(text)
        migrations = _MIGRATIONS.validate_python(index["migrations"])
        history = History(migrations, (), schema_of(index["schema"]))
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError) as problem:
        raise HistoryDamagedError((Damage(HISTORY, "cannot be read"),)) from problem
    is_whole = history_json(history).encode() == text
    if not is_whole or (migrations and migrations[-1].structure != structure_digest(history.schema)):
        raise HistoryDamagedError((Damage(HISTORY, "was changed after it was generated"),))
    return migrations, history.schema


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
