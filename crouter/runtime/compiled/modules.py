"""Which modules are compiled, what a compilation is made of, and where it is kept."""

import hashlib
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

MODULES: Final = (
    "crouter.runtime.charging",
    "crouter.runtime.credit.credit",
    "crouter.runtime.credit.lease",
    "crouter.runtime.egress.answer_reader",
    "crouter.runtime.egress.channel",
    "crouter.runtime.egress.connection",
    "crouter.runtime.egress.exchange",
    "crouter.runtime.egress.plain_answer",
    "crouter.runtime.egress.plain_field",
    "crouter.runtime.egress.pool",
    "crouter.runtime.egress.request_head",
    "crouter.runtime.front.admission",
    "crouter.runtime.front.admitted",
    "crouter.runtime.front.answers",
    "crouter.runtime.front.client",
    "crouter.runtime.front.connection",
    "crouter.runtime.front.edge",
    "crouter.runtime.front.front",
    "crouter.runtime.front.head",
    "crouter.runtime.front.passage",
    "crouter.runtime.front.relay",
    "crouter.runtime.front.telling",
    "crouter.runtime.front.turn",
    "crouter.runtime.journal.frames",
    "crouter.runtime.journal.journal",
    "crouter.runtime.journal.noted",
    "crouter.runtime.journal.segment",
    "crouter.runtime.key_lookup",
    "crouter.runtime.limit_standing",
    "crouter.runtime.limits",
    "crouter.runtime.logs",
    "crouter.runtime.metrics",
    "crouter.runtime.pricing.book",
    "crouter.runtime.pricing.lines",
    "crouter.runtime.pricing.most",
    "crouter.runtime.pricing.rates",
    "crouter.runtime.pricing.settlement",
    "crouter.runtime.pricing.unpriced",
    "crouter.runtime.proxy.attempt",
    "crouter.runtime.proxy.authentication",
    "crouter.runtime.proxy.circuit",
    "crouter.runtime.proxy.content",
    "crouter.runtime.proxy.content_coding",
    "crouter.runtime.proxy.cost_factors",
    "crouter.runtime.proxy.dialects",
    "crouter.runtime.proxy.events",
    "crouter.runtime.proxy.headers",
    "crouter.runtime.proxy.members",
    "crouter.runtime.proxy.options",
    "crouter.runtime.proxy.overload",
    "crouter.runtime.proxy.repeated_keys",
    "crouter.runtime.proxy.request",
    "crouter.runtime.proxy.request_id",
    "crouter.runtime.proxy.shared_state",
    "crouter.runtime.proxy.upstream_keys",
    "crouter.runtime.proxy.usage",
    "crouter.runtime.proxy.usage_chunk",
    "crouter.runtime.settling",
    "crouter.runtime.upstream_health",
    "crouter.runtime.usage",
)
"""What a request passes through. No Struct of msgspec is made here: a class of another kind stays interpreted."""

GROUP: Final = "crouter"
SHARED: Final = f"{GROUP}__mypyc"
"""The library with the code of all modules. What is imported by a module's own name only leads to it."""

LIBRARY: Final = Path(__file__).parents[3]
COMPILER_SETTINGS: Final = Path(__file__).with_name("mypy.ini")
# The compiler reads what the modules import as well, and takes constants and types from there. Nothing else is in
# reach of them: .importlinter.
_READ: Final = ("contract", "runtime")


def source_of(module: str) -> Path:
    """The file of a module, below the library's folder."""
    return Path(*module.split(".")).with_suffix(".py")


def file_of(module: str) -> Path:
    """The file that is compiled of a module, below the folder of a compilation."""
    return Path(*module.split(".")).with_suffix(EXTENSION_SUFFIXES[0])


def sources_digest(library: Path = LIBRARY) -> str:
    """Everything that a compilation is made of, and the interpreter that it is for: 32 hexadecimal digits."""
    whole = hashlib.blake2b(digest_size=16)
    whole.update(f"{sys.version}\0{sysconfig.get_platform()}\0{EXTENSION_SUFFIXES[0]}\n".encode())
    for path in _sources(library / "crouter"):
        content = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        whole.update(f"{path.relative_to(library).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def _sources(package: Path) -> Iterator[Path]:
    yield package / COMPILER_SETTINGS.relative_to(LIBRARY / "crouter")
    for part in _READ:
        yield from sorted((package / part).rglob("*.py"))


def compiler_version() -> str | None:
    """The version of mypyc that is installed; None where there is none."""
    try:
        return version("mypy")
    except PackageNotFoundError:
        return None


def compiled_root() -> Path:
    """The folder of all compilations: part of the environment that runs Crouter, as its libraries are."""
    return Path(sys.prefix, "lib", "crouter-compiled")
