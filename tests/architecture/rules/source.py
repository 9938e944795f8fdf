"""Reads Python modules as syntax trees. The rules look at these and never import what they judge."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Finding:
    """One broken rule, at a place that an editor can open."""

    path: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


@dataclass(frozen=True)
class Module:
    """A Python file below some root: its dotted name, its path from the root, its text."""

    name: str
    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text, self.path)

    def finding(self, node: ast.AST | int, sentence: str) -> Finding:
        line = node if isinstance(node, int) else int(getattr(node, "lineno", 1))
        return Finding(self.path, line, sentence)

    def within(self, *packages: str) -> bool:
        """Whether this is one of the named packages or a module below one."""
        return any(self.name == p or self.name.startswith(f"{p}.") for p in packages)


@cache
def _parsed(text: str, path: str) -> ast.Module:
    """Once for all rules, and for the copies in which violations are planted."""
    return ast.parse(text, filename=path)


def modules(root: Path, *folders: str) -> list[Module]:
    """Every Python file in these folders of `root`, in a stable order."""
    return [_module(root, path) for folder in folders for path in _files(root / folder)]


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(p for p in folder.rglob("*.py") if "node_modules" not in p.parts))


def _module(root: Path, path: Path) -> Module:
    inside = path.relative_to(root)
    parts = inside.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, inside.as_posix(), path.read_text(encoding="utf-8"))
