"""What is wrong with a policy, and where: problems as values, as text and as JSON.

A problem repeats a value of the file only if it is short and printable, so that nothing of a hostile file reaches a
terminal or a log.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from crouter.policy.code import Severity
from crouter.policy.codes import CODES

Path: TypeAlias = tuple[str | int, ...]
"""The keys and list indexes that lead from the top of the file to a value."""

_SHOWN_MAX = 60


def is_showable(text: str) -> bool:
    """Whether a text of the file may be repeated in a message: short, printable and without a backquote."""
    return 0 < len(text) <= _SHOWN_MAX and text.isprintable() and "`" not in text


def shown(text: str, otherwise: str) -> str:
    """The text in backquotes if it may be repeated, else the words `otherwise`."""
    return f"`{text}`" if is_showable(text) else otherwise


def dotted(path: Path) -> str:
    """A path as people write it: `sections[0].claims.contact`; empty for the whole file."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        else:
            written += "." * bool(written) + (step if is_showable(step) else "…")
    return written


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: line and column count from 1; both are 0 when it is about the file as a whole."""

    file: str
    line: int = 0
    column: int = 0
    policy_path: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. The sentence says what, the hint what to do; neither ends in a full stop."""

    code: str
    severity: Severity
    place: Place
    sentence: str
    hint: str

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code

    def __str__(self) -> str:
        return f"{self.place}: {self.code} {self.sentence}\n  hint: {self.hint}"

    def as_json(self) -> dict[str, str | int]:
        """The problem as one flat JSON object."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "policy_path": self.place.policy_path,
            "sentence": self.sentence,
            "hint": self.hint,
        }


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems by line and column, each once; those of one place stay in the given order."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.place.line, problem.place.column)))


def as_text(problems: Iterable[Problem]) -> str:
    """All problems by place, as they are printed: two lines each, the last one ended too."""
    return "".join(f"{problem}\n" for problem in in_order(problems))


@dataclass(slots=True)
class Positions:
    """Where each key and each value of one file stands."""

    file: str
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def of_value(self, path: Path) -> Place:
        """Where the value at `path` begins, or the nearest value around it that exists."""
        return self._nearest(path, (self.values, self.keys))

    def of_key(self, path: Path) -> Place:
        """Where the key (or the list entry) at `path` stands, or the nearest one around it that exists."""
        return self._nearest(path, (self.keys, self.values))

    def _nearest(self, path: Path, tables: tuple[dict[Path, tuple[int, int]], ...]) -> Place:
        for end in range(len(path), 0, -1):
            # Of what is around a missing value, its key tells the reader more than its first character.
            for table in tables if end == len(path) else (self.keys, self.values):
                if found := table.get(path[:end]):
                    return Place(self.file, *found, dotted(path))
        return Place(self.file, 1, 1, dotted(path))
