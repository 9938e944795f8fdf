"""Reads YAML text into plain values with their positions, and refuses what makes YAML dangerous or ambiguous.

Works on PyYAML's stream of events, not on its nodes: nothing recurses, so a hostile file meets our limits long before
it meets Python's. What the values mean is for `validate.py`.
"""

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from crouter.policy import characters, syntax
from crouter.policy.problems import Path, Place, Positions, Problem, dotted, is_showable, shown
from crouter.policy.scalars import Scalar, read_plain

DEPTH_MAX = 20
NODES_MAX = 20_000

# Tabs, explicit keys, comments at a block mark, document marks, directives: libyaml is laxer or counts otherwise.
_READ_DIFFERENTLY = re.compile(r"[\t?]|[|>]\S*#|^(---|\.\.\.|%)", re.MULTILINE)

Tree: TypeAlias = "Scalar | tuple[Tree, ...] | dict[str, Tree]"
"""A value of the file: lists are tuples, and None stands for a value that a problem already speaks of."""


@dataclass(frozen=True, slots=True)
class Document:
    """What one file says. `tree` is None if it could not be read to its end.

    `refused` holds the paths of values that a problem already speaks of, so that nobody complains twice.
    """

    tree: Tree
    positions: Positions
    problems: tuple[Problem, ...]
    refused: frozenset[Path]


def read(text: str, name: str) -> Document:
    """Read a whole file. Never raises for a fault of the text: every one is a problem of the document."""
    if problem := characters.too_large(len(text.encode("utf-8", "surrogatepass")), name):
        return Document(None, Positions(name), (problem,), frozenset([()]))
    text, problems = characters.checked(text, name)
    reader = Reader(text, name, list(problems))
    if not read_quickly(reader):
        reader = Reader(text, name, problems)
        reader.read()
    if not reader.is_complete:
        reader.refused.add(())
    return Document(reader.tree, reader.positions, tuple(reader.problems), frozenset(reader.refused))


def read_quickly(reader: "Reader") -> bool:
    """Read with libyaml, where PyYAML has it: several times as fast. What it cannot read, PyYAML's parser explains."""
    if not yaml.__with_libyaml__ or _READ_DIFFERENTLY.search(reader.text):
        return False
    try:
        reader.take_all(yaml.CBaseLoader(reader.text))
    except (yaml.YAMLError, ValueError, OverflowError, IndexError):
        return False
    return True


class _EnoughError(Exception):
    """The rest of the file is not read."""


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet. `path` is None where values are looked at but not kept."""

    path: Path | None
    items: "dict[str, Tree] | list[Tree]"
    is_key: bool = False
    awaits_key: bool = True
    key: str | None = None
    lines: dict[str, int] = field(default_factory=dict)
    """The line of each key so far."""


class Reader:
    """Builds the tree from events, with a stack instead of recursion."""

    def __init__(self, text: str, name: str, problems: list[Problem]) -> None:
        self.tree: Tree = None
        self.is_complete = False
        self.positions = Positions(name)
        self.problems = problems
        self.refused: set[Path] = set()
        self.text = text
        self._stack: list[_Open] = []
        self._nodes = 0
        self._documents = 0

    def read(self) -> None:
        source = yaml.BaseLoader(self.text)
        try:
            self.take_all(source)
        # Beside its own errors, PyYAML lets those of chr() and int() through, and looks past the end of some texts.
        except (yaml.YAMLError, ValueError, OverflowError, IndexError) as error:
            mark = source.get_mark()
            place = Place(self.positions.file, mark.line + 1, mark.column + 1)
            self.problems.append(syntax.problem_of(error, self.text, place))

    def take_all(self, source: Any) -> None:
        """Take every event of a parser. Raises what it raises for what it cannot read."""
        try:
            while source.check_event():
                self._take(source.get_event())
        except _EnoughError:
            return
        if not self._documents:
            place, hint = Place(self.positions.file, 1, 1), "docs/policy-reference.md says what a policy holds"
            self.problems.append(Problem("PY-08", "error", place, "the file holds nothing", hint))

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._start_document(event)
        elif isinstance(event, yaml.NodeEvent):
            self._start_node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end_collection()

    def _start_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if event.version or event.tags:
            self._report("PY-10", event, (), "a directive stands here", "delete the lines that begin with `%`")
        if self._documents > 1:
            self._report("PY-09", event, (), "a second document begins here", "keep one policy in one file")
            raise _EnoughError

    def _start_node(self, event: yaml.NodeEvent) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            sentence = f"the file holds more than {NODES_MAX} keys and values"
            self._report("PY-22", event, (), sentence, "a policy is read by people: shorten it")
            raise _EnoughError
        around = self._stack[-1] if self._stack else None
        if around is not None and isinstance(around.items, dict) and around.awaits_key:
            self._start_key(event, around)
        else:
            self._start_value(event, self._path_of_next(around, event))

    def _path_of_next(self, around: _Open | None, event: yaml.NodeEvent) -> Path | None:
        """Where the value that begins now belongs; None if it is not kept."""
        if around is None:
            return ()
        if around.path is None or (isinstance(around.items, dict) and around.key is None):
            return None
        step = around.key if isinstance(around.items, dict) else len(around.items)
        assert step is not None
        path = (*around.path, step)
        self.positions.values[path] = _position(event)
        return path

    def _start_key(self, event: yaml.NodeEvent, mapping: _Open) -> None:
        self._report_marks(event, mapping.path)
        mapping.key = None
        if isinstance(event, yaml.ScalarEvent):
            mapping.key = self._key(event, mapping)
        elif not isinstance(event, yaml.AliasEvent):
            sentence = "a list or mapping stands where a key belongs"
            self._report("PY-16", event, mapping.path, sentence, "a key is one word of text")
            self._open(event, None, is_key=True)
            return
        mapping.awaits_key = False

    def _key(self, event: yaml.ScalarEvent, mapping: _Open) -> str | None:
        """The name of a key that is kept, or None."""
        path, text = mapping.path, event.value
        if not event.style:
            if text == "<<":
                self._report("PY-13", event, path, "a merge key stands here", "write the merged keys out")
                return None
            value, refusal = read_plain(text)
            if refusal or not isinstance(value, str):
                sentence = f"{shown(text, 'this key')} is not read as text, and every key is text"
                hint = f'quote it: "{text}"' if is_showable(text) else "a key is one word of text"
                self._report("PY-16", event, path, sentence, hint)
                return None
        text = self._visible(event, None if path is None else (*path, characters.cleaned(text)))
        if (line := mapping.lines.get(text)) is not None:
            sentence = f"{shown(text, 'this key')} stands here again; line {line} has it already"
            self._report("PY-15", event, path, sentence, "keep one of the two")
            return None
        mapping.lines[text] = _position(event)[0]
        if mapping.path is not None:
            self.positions.keys[(*mapping.path, text)] = _position(event)
        return text

    def _start_value(self, event: yaml.NodeEvent, path: Path | None) -> None:
        self._report_marks(event, path)
        if isinstance(event, yaml.ScalarEvent):
            self._attach(self._scalar(event, path))
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(path)
            self._attach(None)
        else:
            self._open(event, path)

    def _scalar(self, event: yaml.ScalarEvent, path: Path | None) -> Scalar:
        if event.style or event.tag is not None:
            return self._visible(event, path)
        value, refusal = read_plain(event.value)
        if refusal:
            self._refuse(path)
            self._report(refusal.code, event, path, refusal.sentence, refusal.hint)
        return self._visible(event, path) if isinstance(value, str) else value

    def _visible(self, event: yaml.ScalarEvent, path: Path | None) -> str:
        """The text, with a problem if an escape made an invisible character; typed ones were reported before."""
        text = characters.cleaned(event.value)
        if characters.STAND_IN in text:
            self._refuse(path)
            if text != event.value:
                hidden = next(character for character in event.value if characters.is_refused(character))
                self.problems.append(characters.invisible(hidden, self._place(event, path)))
        return text

    def _open(self, event: yaml.NodeEvent, path: Path | None, is_key: bool = False) -> None:
        if len(self._stack) == DEPTH_MAX:
            sentence = f"mappings and lists are nested more than {DEPTH_MAX} deep here"
            self._report("PY-21", event, path, sentence, "the language needs less than ten levels")
            raise _EnoughError
        items: dict[str, Tree] | list[Tree] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Open(path, items, is_key))

    def _end_collection(self) -> None:
        closed = self._stack.pop()
        if closed.is_key:
            self._stack[-1].awaits_key = False
        else:
            self._attach(closed.items if isinstance(closed.items, dict) else tuple(closed.items))

    def _attach(self, value: Tree) -> None:
        """Put a finished value where it belongs."""
        if not self._stack:
            self.tree, self.is_complete = value, True
            return
        around = self._stack[-1]
        if isinstance(around.items, list):
            around.items.append(value)
        else:
            if around.key is not None:
                around.items[around.key] = value
            around.awaits_key = True

    def _report_marks(self, event: yaml.NodeEvent, path: Path | None) -> None:
        """Anchors, aliases and tags; the value itself is read as if they were not there."""
        if isinstance(event, yaml.AliasEvent):
            hint = "write the value out; quote text that begins with `*`"
            self._report("PY-12", event, path, "an alias stands here", hint)
        elif event.anchor is not None:
            self._report("PY-11", event, path, "an anchor stands here", "delete it; quote text that begins with `&`")
        if getattr(event, "tag", None) is not None:
            self._report("PY-14", event, path, "a tag stands here", "delete it; quote text that begins with `!`")

    def _report(self, code: str, event: yaml.Event, path: Path | None, sentence: str, hint: str) -> None:
        self.problems.append(Problem(code, "error", self._place(event, path), sentence, hint))

    def _refuse(self, path: Path | None) -> None:
        if path is not None:
            self.refused.add(path)

    def _place(self, event: yaml.Event, path: Path | None) -> Place:
        line, column = _position(event)
        return Place(self.positions.file, line, column, dotted(path or ()))


def _position(event: yaml.Event) -> tuple[int, int]:
    """Line and column of an event, counted from 1."""
    mark = event.start_mark
    assert mark is not None, "PyYAML marks every event it reads"
    return mark.line + 1, mark.column + 1
