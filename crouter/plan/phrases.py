"""Text that remembers where it comes from: sentences are made of plain words and of values of policy.yaml.

Knows nothing of what sentences say (`sentences/`) nor of how they look (`crouter/generate`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from crouter.plan import words


@dataclass(frozen=True, slots=True)
class Text:
    """Words of ours."""

    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """Words that a value of policy.yaml decides.

    `path` is the value's place, as in `data.account.fields.email.label`; `also` are places that say the same and are
    therefore not repeated. A `proper` name keeps its letters at the start of a sentence. `link` is an https or mailto
    address.
    """

    path: str
    text: str
    also: tuple[str, ...] = ()
    proper: bool = False
    link: str | None = None


Segment: TypeAlias = Text | Value
Phrase: TypeAlias = tuple[Segment, ...]
Piece: TypeAlias = str | Segment | Phrase


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, from its capital letter to its full stop."""

    segments: Phrase

    @property
    def text(self) -> str:
        """The sentence as plain text."""
        return plain(self.segments)


def plain(pieces: Phrase) -> str:
    """The words of a phrase."""
    return "".join(segment.text for segment in pieces)


def phrase(*pieces: Piece) -> Phrase:
    """The pieces as one phrase; neighbouring words of ours become one segment."""
    segments: list[Segment] = []
    for segment in _flat(pieces):
        last = segments[-1] if segments else None
        if isinstance(segment, Text) and isinstance(last, Text):
            segments[-1] = Text(last.text + segment.text)
        elif segment.text:
            segments.append(segment)
    return tuple(segments)


def sentence(*pieces: Piece) -> Sentence:
    """The pieces as a sentence: a capital first, one full stop last."""
    segments = list(phrase(*pieces))
    assert segments, "a sentence has words"
    first = segments[0]
    if isinstance(first, Text) or not first.proper:
        segments[0] = replace(first, text=words.capitalised(first.text))
    if not plain(tuple(segments)).endswith((".", "!", "?")):
        segments = list(phrase(*segments, "."))
    return Sentence(tuple(segments))


def listed(items: Iterable[Piece], word: str = "and") -> Phrase:
    """The items as a list in words; items with the same words are named once. There is at least one."""
    phrases = unique([phrase(item) for item in items])
    assert phrases, "a list in words has an item"
    between = words.separators([plain(item) for item in phrases], word)
    pieces: list[Piece] = [phrases[0]]
    for mark, item in zip(between, phrases[1:], strict=True):
        pieces += [mark, item]
    return phrase(*pieces)


def portions(items: Iterable[Piece], at_once: int) -> list[list[Phrase]]:
    """The items without repetition, so many at a time: what one sentence can list and still be read to its end."""
    every = unique([phrase(item) for item in items])
    return [every[first : first + at_once] for first in range(0, len(every), at_once)]


def unique(items: Sequence[Phrase]) -> list[Phrase]:
    """The items without repetition of words. What is left out is remembered in `also` of the one that stays."""
    kept: dict[str, Phrase] = {}
    for item in items:
        words_of_item = plain(item)
        kept[words_of_item] = _remembering(kept[words_of_item], item) if words_of_item in kept else item
    return list(kept.values())


def _remembering(kept: Phrase, repeated: Phrase) -> Phrase:
    paths = tuple(path for segment in repeated if isinstance(segment, Value) for path in (segment.path, *segment.also))
    remembered: list[Segment] = []
    for segment in kept:
        if isinstance(segment, Value) and paths:
            new = tuple(path for path in paths if path != segment.path and path not in segment.also)
            segment, paths = replace(segment, also=segment.also + new), ()
        remembered.append(segment)
    return tuple(remembered)


def _flat(pieces: Iterable[Piece]) -> Iterable[Segment]:
    for piece in pieces:
        if isinstance(piece, str):
            yield Text(piece)
        elif isinstance(piece, tuple):
            yield from piece
        else:
            yield piece
