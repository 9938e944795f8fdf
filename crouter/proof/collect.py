"""Finds the tests that prove sentences of a policy: those marked with a claim, or named after one.

Reads the source of tests and imports none of it. What the tests found out is `results.py`.

A test proves a claim when it carries `@pytest.mark.claim("exclude-content")`, on itself, its class or its module, or
when its name begins with the claim's id as in `test_exclude_content__…`. A mark may name the mechanisms that the test
is about (`by="header_filter"`). Without, they are the mechanisms whose modules the test's file imports. A test outside
of tests/unit that imports none looks at the whole service, and so at every mechanism of its claim (`WHOLE`).
"""

import ast
import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from crouter.policy.mechanisms import MECHANISMS

WHOLE = "*"
"""Stands for every mechanism of a claim."""


@dataclass(frozen=True, slots=True)
class MarkedTest:
    """A test and one claim that it proves. `file` has slashes and is relative to the project; `line` counts from 1.

    `digest` is the SHA-256 of the test's own source. `by` are mechanisms, or `WHOLE`; with none, the test proves the
    sentence (that it says what policy.yaml says) and nothing about what enforces it.
    """

    file: str
    line: int
    name: str
    digest: str
    claim: str
    by: tuple[str, ...]


class UnreadableTestError(Exception):
    """A file of tests is no Python that can be read; the message names it."""


def collect(project: Path, claims: Collection[str] = ()) -> tuple[MarkedTest, ...]:
    """Every marked test below `tests/` of a project, by file and line; none where there is no such folder.

    Names count for the ids in `claims` only; marks count for any id. Raises UnreadableTestError.
    """
    named = {claim.replace("-", "_"): claim for claim in claims}
    found: list[MarkedTest] = []
    for path in sorted((project / "tests").rglob("test_*.py")):
        file = path.relative_to(project).as_posix()
        try:
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
        except (OSError, ValueError, SyntaxError) as error:
            raise UnreadableTestError(f"{file} cannot be read as Python ({type(error).__name__})") from None
        found += _in_module(file, source.splitlines(), tree, named)
    return tuple(found)


def _in_module(file: str, lines: list[str], tree: ast.Module, named: dict[str, str]) -> Iterator[MarkedTest]:
    imported = _imported_mechanisms(tree) or (() if file.startswith("tests/unit/") else (WHOLE,))
    module_marks = [mark for node in tree.body if _is_pytestmark(node) for mark in _marks(_value(node))]
    for node, outer in _tests(tree.body, module_marks):
        begin = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        source = "\n".join(lines[begin - 1 : node.end_lineno])
        digest = hashlib.sha256(source.encode()).hexdigest()
        marks = [*outer, *(mark for decorator in node.decorator_list for mark in _marks(decorator))]
        prefix = node.name.removeprefix("test_").partition("__")[0] if "__" in node.name else ""
        if prefix in named and named[prefix] not in {claim for claim, _ in marks}:
            marks.append((named[prefix], ()))
        for claim, by in dict(marks).items():
            yield MarkedTest(file, node.lineno, node.name, digest, claim, by or imported)


def _tests(
    body: list[ast.stmt], marks: list[tuple[str, tuple[str, ...]]]
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, list[tuple[str, tuple[str, ...]]]]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield node, marks
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            own = [mark for decorator in node.decorator_list for mark in _marks(decorator)]
            yield from _tests(node.body, [*marks, *own])


def _is_pytestmark(node: ast.stmt) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in targets)


def _value(node: ast.stmt) -> ast.expr | None:
    return node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None


def _marks(node: ast.expr | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The claims, each with its mechanisms, that an expression marks."""
    if isinstance(node, ast.List | ast.Tuple):
        for item in node.elts:
            yield from _marks(item)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.mark.claim", "mark.claim"):
        by = tuple(
            constant.value
            for keyword in node.keywords
            if keyword.arg == "by"
            for constant in ast.walk(keyword.value)
            if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
        )
        for argument in node.args:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value, by


def _imported_mechanisms(tree: ast.Module) -> tuple[str, ...]:
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return tuple(
        name
        for name, mechanism in MECHANISMS.items()
        if any(module == mechanism.module or module.startswith(f"{mechanism.module}.") for module in modules)
    )
