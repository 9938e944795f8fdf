"""Writes values as Python source, laid out as the formatter would leave them.

Knows constants, tuples, and instances of dataclasses. A value stands on one line where it fits and otherwise has one
item for each line and a trailing comma: both layouts are ones that `ruff format` keeps. Lines are wider than
the limit only where a name is.
"""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from unicodedata import category, east_asian_width

LINE_WIDTH = 120
_INDENT = "    "
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Name:
    """A name of the module that is being written, in the place of a value."""

    name: str


def python_source(value: object, indent: int = 0, taken: int = 0) -> str:
    """The source of `value`. `indent` is the indentation of its line in levels; `taken` says how many columns of that
    line its surroundings need besides, such as `name = `.

    Raises TypeError for a value that is neither a constant, a tuple nor a dataclass.
    """
    flat = _flat(value)
    if len(_INDENT) * indent + taken + len(flat) <= LINE_WIDTH:
        return flat
    if isinstance(value, str):
        return _long_string(value, indent)
    if isinstance(value, tuple):
        return _exploded("(", [("", item) for item in value], indent)
    if is_dataclass(value):
        return _exploded(f"{type(value).__name__}(", [(f"{n}=", v) for n, v in _arguments(value)], indent)
    return flat


def assignment(name: str, value: object) -> str:
    """The source of `name = value` at the top of a module."""
    return f"{name} = {python_source(value, taken=len(name) + 3)}"


def from_import(module: str, names: tuple[str, ...]) -> str:
    """The source of an import, its names in the order that the linter wants for classes and for constants."""
    ordered = sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= LINE_WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"{_INDENT}{name}," for name in ordered), ")"])


def dataclasses_of(value: object) -> Iterator[type]:
    """The type of every dataclass instance within `value`, itself included, as often as it occurs."""
    if isinstance(value, tuple):
        for item in value:
            yield from dataclasses_of(item)
    elif is_dataclass(value) and not isinstance(value, Name):
        yield type(value)
        for _, item in _arguments(value):
            yield from dataclasses_of(item)


def _flat(value: object) -> str:
    if isinstance(value, Name):
        return value.name
    if value is None or isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, tuple):
        items = [_flat(item) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if is_dataclass(value):
        arguments = ", ".join(f"{name}={_flat(item)}" for name, item in _arguments(value))
        return f"{type(value).__name__}({arguments})"
    raise TypeError(f"a {type(value).__name__} is not declared in generated code")


def _arguments(value: object) -> list[tuple[str, object]]:
    """What has to be written to build `value` again: all but the defaults."""
    return [
        (field.name, getattr(value, field.name))
        for field in fields(value)  # type: ignore[arg-type]
        if field.default is MISSING or getattr(value, field.name) != field.default
    ]


def _exploded(opening: str, items: list[tuple[str, object]], indent: int) -> str:
    lines = [opening]
    for prefix, item in items:
        # One more column for the comma.
        source = python_source(item, indent + 1, len(prefix) + 1)
        lines.append(f"{_INDENT * (indent + 1)}{prefix}{source},")
    return "\n".join([*lines, _INDENT * indent + ")"])


def _long_string(value: str, indent: int) -> str:
    inner = _INDENT * (indent + 1)
    pieces = _pieces(value, LINE_WIDTH - len(inner))
    return "\n".join(["(", *(inner + _string(piece) for piece in pieces), _INDENT * indent + ")"])


def _pieces(value: str, width: int) -> Iterator[str]:
    """`value` cut into pieces whose source fits into `width` columns, after a space where there is one."""
    # A piece has its own best quotation mark, with which it is never longer than with that of the whole.
    quote = _quote_for(value)
    while len(_string(value)) > width:
        end = length = 0
        while length + len(_escaped(value[end], quote)) <= width - 2:
            length += len(_escaped(value[end], quote))
            end += 1
        space = value.rfind(" ", 0, end)
        cut = space + 1 if space > 0 else end
        yield value[:cut]
        value = value[cut:]
    yield value


def _quote_for(value: str) -> str:
    """The quotation mark that the formatter prefers: double, unless that needs more escapes."""
    return "'" if value.count('"') > value.count("'") else '"'


def _string(value: str) -> str:
    quote = _quote_for(value)
    return quote + "".join(_escaped(character, quote) for character in value) + quote


def _escaped(character: str, quote: str) -> str:
    if character == quote:
        return "\\" + quote
    if character in _ESCAPES:
        return _ESCAPES[character]
    if _is_plain(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_plain(character: str) -> bool:
    """Whether the character can be seen and takes one column: everything else is written as an escape."""
    if " " <= character <= "~":
        return True
    return (
        character > "\xa0" and category(character)[0] in "LNPS" and east_asian_width(character) in ("N", "Na", "A", "H")
    )
