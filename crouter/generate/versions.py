"""The versions of the policy that exist, read from generated/policy/history: an input of `render_all`, like migrations.

The last version is a draft for as long as policy.yaml names it and nobody has published it: it is rendered anew. Once
policy.yaml names another version it is frozen: people have read it, so it is kept to the byte. index.json names every
version with the digests of its files, and carries a digest of itself.

The migrations' history is `history.py`; how a version is compared with the next is `crouter/plan/difference`.
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crouter.generate.history import Damage, HistoryDamagedError, text_digest
from crouter.policy.model import Policy

FOLDER = "policy/history"
INDEX = f"{FOLDER}/index.json"
POLICY = "policy.json"
SENTENCES = "sentences.json"
CHANGES = "changes.md"

_NAME = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*")
_NAME_MAX = 40


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policy. `name` is its folder and its place in addresses."""

    version: str
    name: str
    effective: date
    policy_digest: str
    frozen: bool
    significant: bool
    """Whether customers had to be told of it."""
    changed: str
    """What changed beside the version before it, in plain words; empty for the first one."""
    files: dict[str, str]
    """The files in its folder and their digests."""

    def path(self, file: str) -> str:
        """Where a file of it stands, from generated/."""
        return f"{FOLDER}/{self.name}/{file}"


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions in order, and the text of each of their files by its path from generated/."""

    entries: tuple[Version, ...]
    texts: dict[str, str]

    @classmethod
    def empty(cls) -> "Versions":
        """No version yet."""
        return cls((), {})

    @property
    def last(self) -> Version | None:
        """The version in force, as far as generated/ knows."""
        return self.entries[-1] if self.entries else None

    def named(self, version: str) -> Version | None:
        """The entry of a version, by what people call it or by its folder."""
        return next((entry for entry in self.entries if version in (entry.version, entry.name)), None)

    def policy_of(self, entry: Version) -> Policy | None:
        """The policy that a version was rendered from; None where this library's language has moved on since."""
        try:
            return Policy.model_validate_json(self.texts[entry.path(POLICY)])
        except ValidationError:
            return None

    def sentences_of(self, entry: Version) -> dict[str, str]:
        """What people read in a version: the text of each claim by its id, as it was composed then."""
        said = json.loads(self.texts[entry.path(SENTENCES)])
        return {claim["id"]: claim["text"] for section in said["sections"] for claim in section["claims"]}

    def published(self) -> "Versions":
        """These versions, the last one frozen."""
        if not self.entries:
            return self
        return replace(self, entries=(*self.entries[:-1], replace(self.entries[-1], frozen=True)))

    def without_draft(self, version: str) -> "Versions":
        """What stands before the draft of `version`; everything where the last version is another or is frozen."""
        last = self.last
        if last is None or last.frozen or last.version != version:
            return self
        kept = self.entries[:-1]
        return Versions(kept, {path: self.texts[path] for entry in kept for path in map(entry.path, entry.files)})

    def followed_by(self, entry: Version, texts: dict[str, str]) -> "Versions":
        """These versions, all frozen, and one more."""
        return Versions((*self.published().entries, entry), {**self.texts, **texts})

    def files(self) -> dict[str, str]:
        """The text of every file of the history, by its path from generated/."""
        return {**self.texts, INDEX: index_json(self)}


_ENTRIES: TypeAdapter[tuple[Version, ...]] = TypeAdapter(tuple[Version, ...])


def folder_name(version: str) -> str:
    """A name for a folder and an address: the version itself where it can be one, a digest of it otherwise."""
    if _NAME.fullmatch(version) and len(version) <= _NAME_MAX and version != "index.json":
        return version
    return f"v-{text_digest(version)[:12]}"


def index_json(versions: Versions) -> str:
    """The text of index.json."""
    body = {"versions": _ENTRIES.dump_python(versions.entries, mode="json")}
    return _json({"digest": text_digest(_json(body)), **body})


def read_versions(generated: Path, current: str) -> Versions:
    """The versions below `generated`, none where none was kept yet. Raises HistoryDamagedError, OSError.

    The files of the draft of `current` are no damage whatever they hold, because they are about to be rendered anew.
    """
    if not (generated / INDEX).is_file():
        if _was_kept(generated):
            raise HistoryDamagedError((Damage(INDEX, "is missing"),))
        return Versions.empty()
    entries = _read_index(generated / INDEX)
    damages, texts = [], {}
    for entry in entries:
        for file, digest in entry.files.items():
            content = _content(generated / entry.path(file))
            if content is not None and sha256(content).hexdigest() == digest:
                texts[entry.path(file)] = content.decode()
            elif entry.frozen or entry.version != current:
                sentence = "is missing" if content is None else "was changed after it was generated"
                damages.append(Damage(entry.path(file), sentence))
    if damages:
        raise HistoryDamagedError(tuple(damages))
    return Versions(entries, texts)


def _was_kept(generated: Path) -> bool:
    manifest = generated / "MANIFEST.json"
    return any((generated / FOLDER).glob("*/*")) or (manifest.is_file() and INDEX.encode() in manifest.read_bytes())


def _read_index(path: Path) -> tuple[Version, ...]:
    text = path.read_bytes()
    try:
        entries = _ENTRIES.validate_python(json.loads(text)["versions"])
    except (ValueError, TypeError, KeyError, RecursionError, ValidationError) as problem:
        raise HistoryDamagedError((Damage(INDEX, "cannot be read"),)) from problem
    if index_json(Versions(entries, {})).encode() != text or any(not _is_safe(entry) for entry in entries):
        raise HistoryDamagedError((Damage(INDEX, "was changed after it was generated"),))
    return entries


def _is_safe(entry: Version) -> bool:
    return entry.name == folder_name(entry.version) and entry.files.keys() <= {POLICY, SENTENCES, CHANGES}


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
