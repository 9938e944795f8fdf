"""What modules that are compiled may hold: classes that mypyc makes native, and libraries that it reads."""

import ast
import builtins
import sys
from collections.abc import Collection, Iterable, Iterator

from tests.architecture.rules.source import Finding, Module

# Never made for a request (enumerations), or never made at all (protocols).
_ALLOWED = frozenset({"enum.Enum", "enum.StrEnum", "typing.Protocol"})


def interpreted_bases(sources: Iterable[Module]) -> Iterator[Finding]:
    """Classes that derive from what is not compiled: they would be slow, and those of msgspec cannot be compiled."""
    compiled = list(sources)
    names = {module.name for module in compiled}
    for module in compiled:
        imported = _imported(module.tree)
        own = {node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    name = _full_name(base, imported)
                    if name in own or name in _ALLOWED or name.rpartition(".")[0] in names or _is_exception(name):
                        continue
                    yield module.finding(node, f"{node.name} is a {name}, which is not compiled")


def unread_libraries(sources: Iterable[Module], read: Collection[str]) -> Iterator[Finding]:
    """Imports of libraries that the compiler is told to pass over: it would know nothing of what comes from there."""
    known = {"crouter", *sys.stdlib_module_names, *read}
    for module in sources:
        for name in _imported(module.tree).values():
            library = name.partition(".")[0]
            if library not in known:
                yield module.finding(1, f"{library} is not read by the compiler: name it in runtime/compiled/mypy.ini")


def _imported(tree: ast.Module) -> dict[str, str]:
    """The full names of what a module imports, by the names it has there."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _full_name(base: ast.expr, imported: dict[str, str]) -> str:
    head, dot, rest = ast.unparse(base.value if isinstance(base, ast.Subscript) else base).partition(".")
    return f"{imported.get(head, head)}{dot}{rest}"


def _is_exception(name: str) -> bool:
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)
