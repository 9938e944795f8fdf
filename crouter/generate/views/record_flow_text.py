"""How wide words are in the data-flow diagram, and where their lines break. Estimated, so that no font is needed.

Widths are those of a common sans serif, rounded up: a line may end early, it does not leave its box.
"""

import unicodedata

_NARROW = frozenset("iljtfrI.,:;'|!()[]{}-` ")
_WIDE = frozenset("mwMWQOGCD@%&+=<>~#_")


def text_width(text: str, size: float) -> float:
    """The width of a line of `size`, in the same unit."""
    return sum(_share(letter) for letter in text) * size


def wrapped(text: str, size: float, width: float) -> tuple[str, ...]:
    """The lines of a text; a word that is wider than a line is cut."""
    lines: list[str] = []
    line, used = "", 0.0
    space = text_width(" ", size)
    for word in text.split():
        for piece in _pieces(word, size, width):
            needed = text_width(piece, size)
            if line and used + space + needed > width:
                lines.append(line)
                line, used = piece, needed
            else:
                line, used = (f"{line} {piece}", used + space + needed) if line else (piece, needed)
    return (*lines, line) if line else tuple(lines)


def _pieces(word: str, size: float, width: float) -> list[str]:
    pieces, piece, used = [], "", 0.0
    for letter in word:
        share = _share(letter) * size
        if piece and used + share > width:
            pieces.append(piece)
            piece, used = "", 0.0
        piece += letter
        used += share
    return [*pieces, piece]


def _share(letter: str) -> float:
    if letter in _NARROW:
        return 0.34
    if letter in _WIDE:
        return 0.9
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 1.05
    if unicodedata.combining(letter):
        return 0.0
    return 0.7 if letter.isupper() or ord(letter) > 0x17F else 0.58
