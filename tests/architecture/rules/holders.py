"""Which modules of the runtime write files or make tables: each has to be named by a holder, and no holder by none."""

import ast
import re
from collections.abc import Iterable, Iterator

from tests.architecture.rules.source import Finding, Module

_FLAGS = frozenset({"O_CREAT", "O_WRONLY", "O_RDWR", "O_APPEND", "O_TRUNC"})
_WRITERS = frozenset(
    {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "TemporaryFile", "copyfile", "dump"}
)
_MODE = re.compile(r"[rbt+]*[wax][rbt+]*|r[bt]*\+[bt]*")
_TABLE = re.compile(r"\bCREATE\s+(UNLOGGED\s+|TEMP(ORARY)?\s+)?TABLE\b", re.IGNORECASE)
# Writes into what it was given, which somebody else has opened; pickles and JSON to files are `dump`, to text `dumps`.
_OPENED_ELSEWHERE = ("crouter.runtime.copies.archive",)


def undeclared(sources: Iterable[Module], declared: frozenset[str]) -> Iterator[Finding]:
    for module in sources:
        if module.within(*_OPENED_ELSEWHERE) or module.within(*declared):
            continue
        for node in writing(module):
            yield module.finding(node, "writes a file or makes a table, and no holder of contract/holders.py names it")


def writing(module: Module) -> Iterator[ast.AST]:
    """The places where a module does."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call() if _writes(node):
                yield node
            case ast.Attribute(attr=flag) if flag in _FLAGS:
                yield node
            case ast.Constant(value=str(text)) if _TABLE.search(text):
                yield node


def _writes(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in _WRITERS:
        return True
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    modes = [arg.value for arg in given[:2] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    return name == "open" and any(_MODE.fullmatch(mode) for mode in modes)
