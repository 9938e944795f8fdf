"""From a line of a generated file back to policy.yaml: what is declared there, which claims and values stand there.

Works on text; reading files is for whoever asks.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crouter.policy.mechanisms import MECHANISMS
from crouter.policy.model import Policy
from crouter.policy.paths import NoSuchValueError, full_path
from crouter.policy.problems import Path as PolicyPlace
from crouter.proof.declared import Declared, place_of

_WORDS: Final = re.compile(r"[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*")
# An id as the documents write it: quoted, in brackets, or as the target of a link.
_ID: Final = re.compile(r"""(?<=["\[#])([a-z][a-z0-9-]*)(?=["\])])""")
_LIBRARY: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind one line of a generated file. `line` is the one that tells it: the given one or one above."""

    line: int
    declared: tuple[Declared, ...]
    paths: tuple[PolicyPlace, ...]
    claims: tuple[str, ...]


def behind_line(
    text: str, file: str, line: int, things: Iterable[Declared], claims: Iterable[str], policy: Policy
) -> Behind | None:
    """What stands behind a line, which counts from 1; the nearest line above that tells it. None if none does."""
    declared: dict[int, list[Declared]] = {}
    for thing in things:
        place = place_of(thing, {file: text}) if thing.file == file else None
        if place is not None:
            declared.setdefault(place.line, []).append(thing)
    known, lines = frozenset(claims), text.splitlines()
    for number in range(min(line, len(lines)), 0, -1):
        words = _WORDS.findall(lines[number - 1])
        paths = tuple(dict.fromkeys(path for word in words if (path := steps(word, policy))))
        named = tuple(dict.fromkeys(word for word in _ID.findall(lines[number - 1]) if word in known))
        if declared.get(number) or paths or named:
            return Behind(number, tuple(declared.get(number, ())), paths, named)
    return None


def steps(dotted: str, policy: Policy) -> PolicyPlace | None:
    """The path that a dotted one means, short forms included (`data.account.email`); None if it leads nowhere."""
    if "." not in dotted:
        return None
    try:
        return full_path(policy, dotted)
    except NoSuchValueError:
        return None


def mechanism_place(name: str, generated: Path) -> tuple[Path, int]:
    """The file of a mechanism, and the line of the first thing that it defines for others."""
    module = MECHANISMS[name].module
    head, *parts = module.split(".")
    below = (generated if head == "generated" else _LIBRARY).joinpath(*parts)
    file = below.with_suffix(".py") if below.with_suffix(".py").is_file() else below / "__init__.py"
    if not file.is_file():
        return below, 1
    tree = ast.parse(file.read_text(encoding="utf-8"))
    defined = (
        node.lineno
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    )
    return file, next(defined, 1)


def generated_places(thing: Declared, files: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Every file and line of the generated files (path to text) that declares a thing."""
    found = [place_of(thing, files)]
    if thing.kind in ("table", "column"):
        names = (part for part in (thing.path[1], *thing.path[3:4]))
        needle = "COMMENT ON {} {} IS".format(thing.kind.upper(), ".".join(f'"{name}"' for name in ("crouter", *names)))
        schema = Declared(thing.kind, thing.name, thing.path, "database/schema.sql", (needle,))
        found.append(place_of(schema, files))
    return tuple((place.file, place.line) for place in found if place is not None)
