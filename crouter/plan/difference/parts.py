"""What every judge of a part needs: entries that come, go and stay, and lists that gain and lose items."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from crouter.plan.words import identifier_words, joined
from crouter.policy.problems import is_showable

Entry = TypeVar("Entry")


def gone(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """The entries that are in `before` only."""
    return ((name, entry) for name, entry in before.items() if name not in after)


def come(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[tuple[str, Entry]]:
    """The entries that are in `after` only."""
    return gone(after, before)


def stay(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> Iterator[tuple[str, Entry, Entry]]:
    """The entries that are in both."""
    return ((name, before[name], after[name]) for name in before if name in after)


def lost(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The items that are in `before` only, in its order."""
    return [item for item in before if item not in after]


def gained(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The items that are in `after` only, in its order."""
    return lost(after, before)


def named(items: Sequence[str]) -> str:
    """The items as a list in words; names of policy.yaml lose their underscores."""
    return joined([identifier_words(item) for item in items])


def quoted(text: str) -> str:
    """A text of the policy within a summary."""
    return f"“{text}”" if is_showable(text) else "“…”"
