"""Says in our words where and why PyYAML could not go on. Its own messages are for people who write YAML parsers."""

import yaml

from crouter.policy.problems import Place, Problem

# What PyYAML's message contains → our sentence and hint. The first that fits is taken.
_WORDS = (
    (
        "document start",
        "the policy has ended before this",
        "keep one policy in one file, and look for a bracket that is closed too early",
    ),
    (
        "mapping values are not allowed",
        "a `:` stands where no key can begin",
        "quote text that holds `: `, and check that keys of one mapping begin in one column",
    ),
    ("could not find expected ':'", "this line is no `key: value`", "add the colon, with a space after it"),
    (
        "expected ',' or ']'",
        "a list in `[ ]` lacks a comma, or is not closed",
        "separate its entries with commas and close it with `]`",
    ),
    (
        "expected ',' or '}'",
        "a mapping in `{ }` lacks a comma, or is not closed",
        "separate its entries with commas and close it with `}`",
    ),
    (
        "expected <block end>",
        "this line does not fit the lines above it",
        "give all keys of one mapping the same indentation, and look for an open quote further up",
    ),
    ("unexpected end of stream", "the file ends inside a quoted text", "close the quote"),
    (
        "unexpected document separator",
        "a line of dashes or dots stands inside a quoted text",
        "close the quote before it",
    ),
    ("block sequence entries are not allowed", "a list entry cannot begin here", "put each `- ` on its own line"),
    ("block mapping key", "a key cannot begin here", "put each key on its own line"),
    (
        "unknown escape character",
        "a `\\` in double quotes begins an escape that does not exist",
        "write `\\\\`, or use single quotes",
    ),
    ("escape sequence of", "an escape in double quotes is not complete", "write the character itself"),
    ("chr() arg not in range", "an escape in double quotes names no character", "write the character itself"),
    ("cannot start any token", "an unquoted value cannot begin with this character", "quote the value"),
    ("tag", "a tag stands here that cannot be read", "delete the tag, the word that begins with `!`"),
    (
        "alphabetic or numeric character",
        "an anchor or alias without a name stands here",
        "quote text that begins with `&` or `*`",
    ),
    ("indentation", "a text block is not indented as its first line says", "indent all its lines alike"),
    ("directive", "a line that begins with `%` stands here", "delete it, or quote text that begins with `%`"),
)


def problem_of(error: Exception, text: str, place: Place) -> Problem:
    """The problem behind an error of PyYAML. `place` is where reading stopped, for errors that do not know theirs.

    A tab is told apart by looking at the text: PyYAML takes it for a bad first character of a value.
    """
    message = str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        # Marks print the line they stand on, and a policy's words must not be taken for PyYAML's.
        message = f"{error.context or ''} {error.problem or ''}"
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            place = Place(place.file, mark.line + 1, mark.column + 1)
            if text[mark.index : mark.index + 1] == "\t":
                hint = "replace it by spaces, and set your editor to indent YAML with spaces"
                return Problem("PY-06", "error", place, "a tab stands where YAML takes spaces only", hint)
    for part, sentence, hint in _WORDS:
        if part in message:
            return Problem("PY-07", "error", place, sentence, hint)
    hint = "look for an open quote or bracket, a missing colon or an uneven indentation here or just above"
    return Problem("PY-07", "error", place, "this cannot be read as YAML", hint)
