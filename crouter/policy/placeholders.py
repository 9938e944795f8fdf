"""The language of a claim's own words: text with `{policy.path}` in it, and `{{` for a brace that is meant.

`{path:dative}` asks for a period in the dative, which German needs after "nach" and "innerhalb von".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

_PIECES: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
FORMS: Final = ("dative",)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value of the policy inside own words. `form` is empty or one of `FORMS`."""

    path: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class StrayBrace:
    """A brace that neither begins nor ends a placeholder."""


Piece: TypeAlias = str | Placeholder | StrayBrace


def pieces_of(words: str) -> Iterator[Piece]:
    """The words in their pieces, in order."""
    at = 0
    for match in _PIECES.finditer(words):
        if match.start() > at:
            yield words[at : match.start()]
        at = match.end()
        if match[0] in ("{{", "}}"):
            yield match[0][0]
        elif match[1] is None:
            yield StrayBrace()
        else:
            path, _, form = match[1].partition(":")
            yield Placeholder(path.strip(), form.strip())
    if at < len(words):
        yield words[at:]


def placeholders(words: str) -> tuple[Placeholder, ...]:
    """The placeholders of own words, in order."""
    return tuple(piece for piece in pieces_of(words) if isinstance(piece, Placeholder))


def typed_text(words: str) -> str:
    """What was typed: the words with a gap where each placeholder stands."""
    return "".join(piece if isinstance(piece, str) else "\0" for piece in pieces_of(words))
