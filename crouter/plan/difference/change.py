"""The values that a difference is made of. Decides nothing."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from crouter.policy.problems import Path, dotted

Group = Literal["customers", "processors", "cookies", "code", "database", "law"]
"""Whom a change concerns, in the order in which people read about it."""

Kind = Literal["added", "removed", "changed", "reordered"]

Weight = Literal["new_data", "new_purpose", "new_recipient", "longer_retention", "weaker_promise"]
"""What can make a change significant, in the words of `policy.changes.significant`."""


@dataclass(frozen=True, slots=True)
class Said:
    """One claim of the document before and after; None where it is not there."""

    claim: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `path` leads into the newer policy, or into the older one for what was removed.

    A change of declarations, of the database or of findings has no path of its own and a `subject` instead.
    """

    group: Group
    kind: Kind
    path: Path
    summary: str
    """What changes, in plain words without a full stop."""
    weight: Weight | None = None
    """Why a customer may have to be told."""
    significant: bool = False
    """Whether the policy says that such a change has to be announced."""
    asks_again: bool = False
    """Whether a consent that was given does not cover it."""
    destroys: str | None = None
    """What rows lose for good, as `crouter generate --destroy` names it."""
    subject: str = ""
    """What it is about, where that is no place in the policy."""
    in_words: bool = True
    """Whether the summary is in words that customers understand; otherwise it names a place of the policy."""
    said: tuple[Said, ...] = ()
    """The sentences that read differently."""

    @property
    def about(self) -> str:
        """The subject, or the path as people write it."""
        return self.subject or dotted(self.path)

    @property
    def id(self) -> str:
        """Names the change among those of one difference, the same every time."""
        return f"{self.group}:{self.kind}:{self.about}"


Changes: TypeAlias = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes from one policy to another, in the order of their groups."""

    changes: Changes

    def __bool__(self) -> bool:
        return bool(self.changes)

    def of(self, group: Group) -> Changes:
        """The changes of one group."""
        return tuple(change for change in self.changes if change.group == group)

    @property
    def significant(self) -> Changes:
        """What has to be announced to customers."""
        return tuple(change for change in self.changes if change.significant)

    @property
    def asks_again(self) -> bool:
        """Whether visitors have to be asked for their consent again."""
        return any(change.asks_again for change in self.changes)

    @property
    def destroys(self) -> tuple[str, ...]:
        """What rows lose for good."""
        return tuple(change.destroys for change in self.changes if change.destroys is not None)
