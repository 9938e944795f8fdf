"""Importing a module defines names and does nothing else.

Looks at what Python evaluates while it imports: statements at the top of a module and in the bodies
of classes, decorators and default values, but not the bodies of functions. Building a value is
fine; reading the world is not.
"""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.rules.source import Finding, Module

_DEFINITIONS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)
_GUARDS = frozenset({"TYPE_CHECKING", "typing.TYPE_CHECKING", "__name__ == '__main__'"})
# Generated code says at its top which contract it was made for; that is what it imports it for.
_STATEMENTS = frozenset({"require_contract"})

_WORKING_NAMES = frozenset({"__import__", "eval", "exec", "input", "open", "print"})
_WORKING_METHODS = frozenset(
    {
        "connect", "cwd", "exists", "getenv", "glob", "home", "import_module", "is_dir", "is_file",
        "iterdir", "mkdir", "now", "read_bytes", "read_text", "rglob", "today", "touch", "unlink",
        "utcnow", "uuid4", "write_bytes", "write_text",
    }
)  # fmt: skip
_WORKING_MODULES = frozenset({"asyncio", "random", "secrets", "socket", "subprocess", "time"})


def work_at_import(sources: Iterable[Module]) -> Iterator[Finding]:
    for module in sources:
        for statement in module.tree.body:
            if not _defines(statement):
                yield module.finding(statement, "importing this module does more than define names")
            elif not isinstance(statement, ast.If):
                for node in _evaluated(statement):
                    if what := _work(node):
                        yield module.finding(node, f"{what} is evaluated when this is imported")


def _defines(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return ast.unparse(statement.test) in _GUARDS and not statement.orelse
    if isinstance(statement, ast.Expr):
        value = statement.value
        if isinstance(value, ast.Call):
            return ast.unparse(value.func) in _STATEMENTS
        return isinstance(value, ast.Constant) and isinstance(value.value, str)
    return isinstance(statement, _DEFINITIONS)


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it that Python evaluates now, not when something is called."""
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]
        below: Iterable[ast.AST] = [*node.decorator_list, *defaults]
    elif isinstance(node, ast.Lambda):
        below = []
    else:
        below = ast.iter_child_nodes(node)
    for child in below:
        yield from _evaluated(child)


def _work(node: ast.AST) -> str:
    """The call or look-up that reaches outside of the process's own values, or nothing."""
    if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ":
        return "os.environ"
    if not isinstance(node, ast.Call):
        return ""
    function = ast.unparse(node.func)
    head, _, last = function.rpartition(".")
    if not head:
        return function if function in _WORKING_NAMES else ""
    if last in _WORKING_METHODS or (head in _WORKING_MODULES and last.islower()):
        return function
    return ""
