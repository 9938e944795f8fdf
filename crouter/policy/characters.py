"""Bytes to text: encoding, size, and the characters that would make a reader see another text than the machine."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice

from crouter.policy.problems import Place, Problem

BYTES_MAX = 256 * 1024
STAND_IN = "\ufffd"
"""Replaces what is refused, so that reading can go on. It is refused itself: it tells of text lost earlier."""

# More lines of them than this are one mistake, not many.
_LINES_REPORTED_MAX = 50
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_BYTE_ORDER_MARK = "\ufeff"


def is_refused(character: str) -> bool:
    """Whether it is invisible, changes how its neighbours look, or stands for no character at all."""
    if character in "\n\t":
        return False
    return (
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        or character == STAND_IN
        or ord(character) & 0xFFFE == 0xFFFE
    )


def cleaned(text: str) -> str:
    """The text with every refused character replaced by `STAND_IN`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(STAND_IN if is_refused(character) else character for character in text)


def decode(data: bytes, name: str) -> tuple[str, Problem | None]:
    """Bytes as UTF-8 text. With a problem, the text is what could be read, and of no use but to go on."""
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        lines = _LINE_BREAK.split(before)
        place = Place(name, len(lines), len(lines[-1]) + 1)
        return "", Problem("PY-03", "error", place, "the file is not UTF-8 from here on", "save it as UTF-8")


def too_large(size: int, name: str) -> Problem | None:
    """A problem if a file of `size` bytes is more than is read."""
    if size <= BYTES_MAX:
        return None
    sentence = f"the file is larger than {BYTES_MAX // 1024} KiB"
    return Problem("PY-02", "error", Place(name), sentence, "a policy is read by people: shorten it")


def checked(text: str, name: str) -> tuple[str, list[Problem]]:
    """The text without what is refused and with plain line ends, and a problem for each line that held some of it."""
    problems = []
    if text.startswith(_BYTE_ORDER_MARK):
        text = text.removeprefix(_BYTE_ORDER_MARK)
        sentence, hint = "the file begins with a byte order mark", "save it as UTF-8 without a byte order mark"
        problems.append(Problem("PY-04", "error", Place(name, 1, 1), sentence, hint))
    lines = _LINE_BREAK.split(text)
    problems += islice(_invisible_in(lines, name), _LINES_REPORTED_MAX)
    return "\n".join(map(cleaned, lines)), problems


def invisible(character: str, place: Place) -> Problem:
    """The problem of one refused character; it is named by its number and never repeated."""
    what = "a character that stands for lost text" if character == STAND_IN else "an invisible character"
    sentence = f"{what} (U+{ord(character):04X}) stands here"
    return Problem("PY-05", "error", place, sentence, "delete it, and type the text around it again")


def _invisible_in(lines: Iterable[str], name: str) -> Iterator[Problem]:
    for number, line in enumerate(lines, start=1):
        if STAND_IN in cleaned(line):
            column = next(index for index, character in enumerate(line) if is_refused(character))
            yield invisible(line[column], Place(name, number, column + 1))
