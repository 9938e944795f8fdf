"""The published versions of the policy, and how any two of them differ, sentence by sentence.

Reads what was generated and compares it by the ids of claims. What a change means is told by the generator, which knows
the policies; here are only the words that people were given.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final, Literal

INDEX: Final = "policy/history/index.json"
_SENTENCES: Final = "sentences.json"
_SENTENCE_END: Final = re.compile(r"(?<=[.!?]) (?=\S)")

Mark = Literal["same", "added", "removed"]


class HistoryUnreadableError(Exception):
    """A file of the history is missing or is not as it was generated. The message names it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a version: its section, its id and its words."""

    section: str
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policy as people read it. `name` stands for it in addresses."""

    version: str
    name: str
    effective: str
    """The day as ISO 8601 writes it."""
    effective_words: str
    significant: bool
    changed: str
    """What changed since the version before it; empty for the first one."""
    title: str
    service: str
    locale: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a claim, and on which side it stands."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class ClaimDifference:
    """One claim that does not read the same in two versions; all of its sentences, in order."""

    section: str
    id: str
    kind: Literal["added", "removed", "changed"]
    sentences: tuple[Sentence, ...]


def read_policy_history(generated: Path) -> tuple[Version, ...]:
    """All versions, the oldest first. Raises HistoryUnreadableError."""
    try:
        entries = json.loads((generated / INDEX).read_bytes())["versions"]
        return tuple(_version(generated, entry) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError):
        raise HistoryUnreadableError(f"generated/{INDEX} cannot be read: run `crouter generate`") from None


def differences(before: Version, after: Version) -> tuple[ClaimDifference, ...]:
    """The claims of two versions that do not read the same: in the order of `after`, then those that are gone."""
    old = {claim.id: claim for claim in before.claims}
    new = {claim.id: claim for claim in after.claims}
    found = []
    for name, claim in new.items():
        if name not in old:
            found.append(ClaimDifference(claim.section, name, "added", _marked("", claim.text)))
        elif old[name].text != claim.text:
            found.append(ClaimDifference(claim.section, name, "changed", _marked(old[name].text, claim.text)))
    gone = (claim for name, claim in old.items() if name not in new)
    found += [ClaimDifference(claim.section, claim.id, "removed", _marked(claim.text, "")) for claim in gone]
    return tuple(found)


def _version(generated: Path, entry: dict[str, Any]) -> Version:
    file = f"policy/history/{entry['name']}/{_SENTENCES}"
    content = (generated / file).read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["files"][_SENTENCES]:
        raise HistoryUnreadableError(f"generated/{file} is not as it was generated: restore it from version control")
    said = json.loads(content)
    return Version(
        version=entry["version"],
        name=entry["name"],
        effective=entry["effective"],
        effective_words=said["effective_words"],
        significant=entry["significant"],
        changed=entry["changed"],
        title=said["title"],
        service=said["service"],
        locale=said["locale"],
        claims=tuple(
            Claim(section["title"], claim["id"], claim["text"])
            for section in said["sections"]
            for claim in section["claims"]
        ),
    )


def _marked(before: str, after: str) -> tuple[Sentence, ...]:
    """The sentences of both texts, those that only one of them has marked."""
    old, new = _sentences(before), _sentences(after)
    marked: list[Sentence] = []
    for operation, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            marked += [Sentence("same", text) for text in old[start:end]]
        else:
            marked += [Sentence("removed", text) for text in old[start:end]]
            marked += [Sentence("added", text) for text in new[new_start:new_end]]
    return tuple(marked)


def _sentences(text: str) -> Sequence[str]:
    return _SENTENCE_END.split(text) if text else []
