"""What every module has: a docstring, a name that says something, a readable size."""

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.rules.source import Finding, Module

EMPTY_NAMES = frozenset({"common", "helper", "helpers", "misc", "util", "utils"})
MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
# A public function this short is understood faster than its docstring is read.
PLAIN_LINES_MAX = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_docstrings(sources: Iterable[Module]) -> Iterator[Finding]:
    """Every module but tests, which are named after the one they judge."""
    for module in sources:
        is_test = module.name.rpartition(".")[2].startswith("test_")
        if not is_test and not ast.get_docstring(module.tree):
            yield module.finding(1, "the module does not say what it is")


def names(sources: Iterable[Module]) -> Iterator[Finding]:
    for module in sources:
        if EMPTY_NAMES & set(module.name.split(".")):
            yield module.finding(1, "the name says nothing about what is inside")


def sizes(sources: Iterable[Module]) -> Iterator[Finding]:
    for module in sources:
        lines = len(module.text.splitlines())
        if lines > MODULE_LINES_MAX:
            yield module.finding(1, f"{lines} lines; split the module by idea")
        for node in ast.walk(module.tree):
            if isinstance(node, Function) and _lines(node) > FUNCTION_LINES_MAX:
                yield module.finding(node, f"{node.name} has {_lines(node)} lines; split it")


def public_docstrings(sources: Iterable[Module]) -> Iterator[Finding]:
    """Functions and classes at the top of a module; methods are left to the reviewer."""
    for module in sources:
        for node in module.tree.body:
            if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
                continue
            if _body_lines(node) > PLAIN_LINES_MAX and not ast.get_docstring(node):
                yield module.finding(node, f"{node.name} is public and does not say what it gives")


def _lines(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _body_lines(node: Function | ast.ClassDef) -> int:
    first = node.body[0].lineno
    return (node.end_lineno or first) - first + 1
