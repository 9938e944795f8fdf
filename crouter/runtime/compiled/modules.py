"""Which modules may be compiled, and where what was compiled of them is kept."""

import hashlib
import sys
import sysconfig
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
    "crouter.runtime.proxy.content_coding",
    "crouter.runtime.proxy.dialects",
    "crouter.runtime.proxy.events",
    "crouter.runtime.proxy.headers",
    "crouter.runtime.proxy.members",
    "crouter.runtime.proxy.options",
    "crouter.runtime.proxy.overload",
    "crouter.runtime.proxy.request",
    "crouter.runtime.proxy.request_id",
    "crouter.runtime.proxy.upstream_keys",
    "crouter.runtime.proxy.usage",
    "crouter.runtime.proxy.usage_chunk",
    "crouter.runtime.settling",
    "crouter.runtime.upstream_health",
    "crouter.runtime.usage",
)
"""What a request passes through. No Struct of msgspec is made here, and no class has a base that is interpreted."""

LIBRARY: Final = Path(__file__).parents[3]


def source_of(module: str) -> Path:
    """The file of a module."""
    return LIBRARY.joinpath(*module.split(".")).with_suffix(".py")


def sources_digest() -> str:
    """What a compilation is of: every source, and the interpreter that it is for. 32 hexadecimal digits."""
    whole = hashlib.blake2b(digest_size=16)
    whole.update(f"{sys.version}\0{sysconfig.get_platform()}\0".encode())
    for module in MODULES:
        content = hashlib.blake2b(source_of(module).read_bytes(), digest_size=16).hexdigest()
        whole.update(f"{module}\0{content}\n".encode())
    return whole.hexdigest()


def compiled_root(prefix: Path | None = None) -> Path:
    """The folder of all compilations: part of the environment that Crouter is installed in."""
    return (prefix or Path(sys.prefix)) / "lib" / "crouter-compiled"
