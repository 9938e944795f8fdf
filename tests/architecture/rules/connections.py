"""Which modules may listen, connect, or import something that is not ours.

import-linter sees packages; these rules see which part of a package is used.
"""

import ast
import sys
from collections.abc import Iterable, Iterator

from tests.architecture.rules.source import Finding, Module

LISTENING = ("crouter.runtime.server", "crouter.simulator")
CONNECTING = ("crouter.runtime.egress",)

_SERVER = ("aiohttp.web", "asyncio.start_server", "asyncio.start_unix_server", "http.server")
# Opens a connection by itself, or is a library whose purpose that is.
_CLIENT = (
    "aiohttp.BaseConnector",
    "aiohttp.ClientSession",
    "aiohttp.TCPConnector",
    "aiohttp.UnixConnector",
    "aiohttp.client",
    "aiohttp.connector",
    "aiohttp.request",
    "asyncio.open_connection",
    "asyncio.open_unix_connection",
    "ftplib",
    "http.client",
    "httpx",
    "requests",
    "smtplib",
    "socket.create_connection",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "xmlrpc",
)
# Methods of an event loop or a socket: the object's type is not visible, the name is enough.
_CLIENT_METHODS = frozenset({"create_connection", "create_datagram_endpoint", "sock_connect", "create_unix_connection"})


def listeners(sources: Iterable[Module]) -> Iterator[Finding]:
    for module in sources:
        if not module.within(*LISTENING):
            for node, name in _used(module.tree):
                if _is_part_of(name, _SERVER):
                    yield module.finding(node, f"{name}: only {' and '.join(LISTENING)} listen")


def connectors(sources: Iterable[Module]) -> Iterator[Finding]:
    for module in sources:
        if not module.within(*CONNECTING):
            for node, name in _used(module.tree):
                if _is_part_of(name, _CLIENT) or name.rpartition(".")[2] in _CLIENT_METHODS:
                    yield module.finding(node, f"{name}: only {CONNECTING[0]} opens connections")


def standard_library_only(sources: Iterable[Module], ours: str) -> Iterator[Finding]:
    """Imports of anything but the standard library and the package `ours` itself."""
    for module in sources:
        for node, name in _imported(module.tree):
            if not _is_part_of(name, (ours,)) and name.split(".")[0] not in sys.stdlib_module_names:
                yield module.finding(node, f"{name}: only the standard library may be imported")


def generated_imports(sources: Iterable[Module]) -> Iterator[Finding]:
    """Imports in generated code of anything but the standard library, itself and its two homes."""
    allowed = ("generated", "crouter.contract", "crouter.runtime")
    for module in sources:
        for node, name in _imported(module.tree):
            if not _is_part_of(name, allowed) and name.split(".")[0] not in sys.stdlib_module_names:
                yield module.finding(node, f"{name}: generated code declares, it does not act")


def _is_part_of(name: str, packages: Iterable[str]) -> bool:
    return any(name == p or name.startswith((f"{p}.", f"{p}_")) for p in packages)


def _imported(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where a name comes from"
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def _used(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Every dotted name that is imported or looked up, with local names spelled out in full."""
    full_names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                full_names[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full_names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    yield from _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            head, _, rest = ast.unparse(node).partition(".")
            # What was not imported is an object at hand: of its type nothing is known but the method's name.
            yield node, f"{full_names[head]}.{rest}" if head in full_names else f".{rest}"
