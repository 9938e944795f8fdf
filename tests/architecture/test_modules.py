"""Modules say what they are, stay readable, and do nothing while they are imported."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.architecture.conftest import Plant
from tests.architecture.rules import connections, import_time, naming
from tests.architecture.rules.source import ROOT, Finding, Module, modules

Rule = Callable[[Iterable[Module]], Iterator[Finding]]

OURS = ("crouter", "generated", "tests", "bench")
WITH_PUBLIC_DOCSTRINGS = ("crouter/policy", "crouter/generate", "crouter/runtime")


def standard_library_only(sources: Iterable[Module]) -> Iterator[Finding]:
    return connections.standard_library_only(sources, ours="crouter.contract")


# Each rule, the folders it judges, and a violation of it: where it is planted and its text.
RULES: dict[str, tuple[Rule, tuple[str, ...], str, str]] = {
    "a module says what it is": (
        naming.module_docstrings,
        OURS,
        "crouter/plan/planted.py",
        "LIMIT = 1",
    ),
    "a module has a name of its own": (
        naming.names,
        OURS,
        "crouter/runtime/utils.py",
        '"""Planted."""',
    ),
    "a module stays readable": (
        naming.sizes,
        OURS,
        "crouter/plan/planted.py",
        "\n" * naming.MODULE_LINES_MAX,
    ),
    "a function stays readable": (
        naming.sizes,
        OURS,
        "crouter/plan/planted.py",
        "def planted() -> int:\n" + "    x = 1\n" * naming.FUNCTION_LINES_MAX + "    return x",
    ),
    "a public function says what it gives": (
        naming.public_docstrings,
        WITH_PUBLIC_DOCSTRINGS,
        "crouter/policy/planted.py",
        "def planted() -> int:\n" + "    x = 1\n" * naming.PLAIN_LINES_MAX + "    return x",
    ),
    "an import defines names only": (
        import_time.work_at_import,
        ("crouter", "generated"),
        "crouter/runtime/planted.py",
        "for name in ():\n    NAMES = name",
    ),
    "the contract needs the standard library only": (
        standard_library_only,
        ("crouter/contract",),
        "crouter/contract/planted.py",
        "import msgspec",
    ),
    "generated code declares": (
        connections.generated_imports,
        ("generated",),
        "generated/service/planted.py",
        "import aiohttp",
    ),
    "one place listens": (
        connections.listeners,
        ("crouter", "generated"),
        "crouter/runtime/egress/planted.py",
        "from aiohttp import web",
    ),
    "one place connects": (
        connections.connectors,
        ("crouter", "generated"),
        "crouter/runtime/server/planted.py",
        "import aiohttp\n\n\ndef f() -> None:\n    aiohttp.ClientSession()",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_the_rule_holds(name: str) -> None:
    rule, folders, _, _ = RULES[name]
    found = list(rule(modules(ROOT, *folders)))
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("name", RULES)
def test_a_planted_violation_is_found(name: str, plant: Plant) -> None:
    rule, folders, path, text = RULES[name]
    root = plant(path, text)
    assert path in {finding.path for finding in rule(modules(root, *folders))}


WORK = {
    "a call": "print_banner()",
    "reading a file": "TEXT = open('policy.yaml').read()",
    "reading a file through a path": "TEXT = Path('policy.yaml').read_text()",
    "the environment": "URL = os.environ['DATABASE_URL']",
    "the environment, asked politely": "URL = os.getenv('DATABASE_URL', '')",
    "the clock": "STARTED = time.monotonic()",
    "the calendar": "TODAY = datetime.datetime.now(datetime.UTC)",
    "chance": "SALT = secrets.token_bytes(16)",
    "a default value": "def f(now: float = time.time()) -> None: ...",
    "the body of a class": "class A:\n    text = Path('a').read_text()",
    "a decorator": "@register(open('a'))\ndef f() -> None: ...",
    "a condition": "if sys.platform == 'linux':\n    LIMIT = 1",
    "an attempt": "try:\n    import uvloop\nexcept ImportError:\n    pass",
    "a loop": "while False:\n    pass",
}
DEFINITIONS = {
    "a constant": "LIMIT = 32 * 1024 * 1024",
    "a pattern": "NAME = re.compile('[a-z]+')",
    "a declaration": "USAGE = Record(name='usage', fields=(Field(name='model'),))",
    "work in a function": "def f() -> str:\n    return open('a').read()",
    "work in a lambda": "READ = lambda: open('a').read()",
    "a type": "if TYPE_CHECKING:\n    from pathlib import Path",
    "an entry point": "if __name__ == '__main__':\n    run()",
    "the contract's number": "require_contract(1)",
    "a bounded cache": "@functools.lru_cache(maxsize=8)\ndef f() -> None: ...",
}


@pytest.mark.parametrize("text", WORK.values(), ids=WORK)
def test_work_at_import_is_found(text: str) -> None:
    assert list(import_time.work_at_import([Module("planted", "planted.py", text)]))


@pytest.mark.parametrize("text", DEFINITIONS.values(), ids=DEFINITIONS)
def test_a_definition_is_no_work(text: str) -> None:
    assert not list(import_time.work_at_import([Module("planted", "planted.py", text)]))


CONNECTIONS = {
    "an HTTP client": "import aiohttp as http\nhttp.ClientSession()",
    "an HTTP client by name": "from aiohttp import ClientSession",
    "an inner module": "from aiohttp.client import ClientTimeout",
    "a stream": "import asyncio\nasync def f(): await asyncio.open_connection('a', 1)",
    "a loop's method": "async def f(loop): await loop.create_connection(None, 'a', 1)",
    "a socket": "from socket import create_connection",
    "another library": "import httpx",
    "the standard library": "from urllib.request import urlopen",
    "mail": "import smtplib",
}


@pytest.mark.parametrize("text", CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_connection_is_found_and_allowed_in_egress(text: str) -> None:
    elsewhere = Module("crouter.runtime.server.app", "planted.py", text)
    egress = Module("crouter.runtime.egress.client", "planted.py", text)
    assert list(connections.connectors([elsewhere]))
    assert not list(connections.connectors([egress]))


def test_the_client_in_egress_may_not_listen() -> None:
    text = "import aiohttp.web\n"
    egress = Module("crouter.runtime.egress.client", "planted.py", text)
    assert list(connections.listeners([egress]))
