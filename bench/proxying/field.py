"""All peers as they run during a measurement, in front of one upstream, and what is known about each.

Peers that wait use no processor time, so they are measured in turns without being started anew.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import BenchError
from bench.machine import program_version
from bench.proxying.dialects import Dialect
from bench.proxying.peers.crouter import Store, service, store
from bench.proxying.peers.gateways import (
    LITELLM_DIALECT,
    TENSORZERO_DIALECT,
    litellm,
    portkey,
    portkey_dialect,
    tensorzero,
)
from bench.proxying.peers.haproxy import haproxy, haproxy_program
from bench.proxying.peers.installing import installed, locked_version
from bench.proxying.peers.nginx import nginx, nginx_program
from bench.proxying.processes import Cores, module, on_core, resident_mib
from bench.proxying.upstream import upstream
from crouter.runtime.compiled.use import fitting

DIRECT, NGINX, HAPROXY, CROUTER = "direct", "nginx", "HAProxy", "Crouter"
INTERPRETED = "Crouter, interpreted"
PLAIN, TUNED, MINIMAL = "plain aiohttp", "tuned aiohttp", "asyncio.Protocol"
TENSORZERO, PORTKEY, LITELLM = "TensorZero", "Portkey", "LiteLLM"
ORDER = (DIRECT, NGINX, HAPROXY, MINIMAL, TUNED, PLAIN, CROUTER, INTERPRETED, TENSORZERO, PORTKEY, LITELLM)
OURS = (CROUTER, INTERPRETED)
GATEWAYS = (TENSORZERO, PORTKEY, LITELLM)

_Started = AbstractContextManager[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to the upstream. `pid` is None where nothing stands between; `idle_mib` is its memory before any load."""

    name: str
    port: int
    pid: int | None
    idle_mib: float | None
    dialect: Dialect = field(default_factory=Dialect)


@dataclass(frozen=True, slots=True)
class Field:
    """All peers, the key that Crouter admits, and its database. `absent` says why a peer is missing."""

    peers: tuple[Peer, ...]
    prepared: Store
    absent: dict[str, str]
    versions: dict[str, str]

    def peer(self, name: str) -> Peer | None:
        """The peer of that name, or None where it is not installed."""
        return next((peer for peer in self.peers if peer.name == name), None)


@contextmanager
def running_peers(policy: Path, cores: Cores, tell: Callable[[str], None]) -> Iterator[Field]:
    """Starts upstream, database and every peer that is installed. Raises BenchError, ClusterError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crouter-bench-")))
        prepared = stack.enter_context(store(policy, folder))
        strict = stack.enter_context(upstream(folder))
        starting = _Starting(stack, strict, stack.enter_context(upstream(folder, lenient=True)), folder, tell)
        starting.peers.append(Peer(DIRECT, strict, None, None))
        with on_core(cores.proxy):
            starting.reverse_proxies()
            starting.pass_throughs()
            starting.ours(prepared)
            starting.gateways()
        yield Field(tuple(starting.peers), prepared, starting.absent, starting.versions)


class _Starting:
    """Starts one peer after another; what is not installed is said loudly and left out."""

    def __init__(self, stack: ExitStack, strict: int, lenient: int, folder: Path, tell: Callable[[str], None]) -> None:
        self._stack, self._folder, self._tell = stack, folder, tell
        self._strict, self._lenient = strict, lenient
        self.peers: list[Peer] = []
        self.absent: dict[str, str] = {}
        self.versions: dict[str, str] = {}

    def add(self, name: str, starting: _Started, dialect: Dialect | None = None) -> None:
        pid, port = self._stack.enter_context(starting)
        self.peers.append(Peer(name, port, pid, resident_mib(pid), dialect or Dialect()))

    def reverse_proxies(self) -> None:
        path = nginx_program()
        if path is None:
            self._miss(NGINX, "not installed (Debian: nginx-light)")
        else:
            self.versions[NGINX] = program_version(path, "-v")
            self.add(NGINX, nginx(path, self._strict, self._folder))
        path = haproxy_program()
        if path is None:
            self._miss(HAPROXY, "not installed (Debian: haproxy)")
        else:
            self.versions[HAPROXY] = program_version(path, "-v")
            self.add(HAPROXY, haproxy(path, self._strict, self._folder))

    def pass_throughs(self) -> None:
        origin = f"http://127.0.0.1:{self._strict}"
        self.add(MINIMAL, module("bench.proxying.peers.minimal", str(self._strict)))
        self.add(TUNED, module("bench.proxying.peers.tuned", origin))
        self.add(PLAIN, module("bench.proxying.peers.plain", origin))

    def ours(self, prepared: Store) -> None:
        """What is compiled, as a deployment runs it, and beside it the sources."""
        self.add(CROUTER, service(prepared, self._strict, self._folder))
        if fitting() is None:
            self._miss(INTERPRETED, "nothing is compiled (crouter compile), so that Crouter runs its sources")
        else:
            self.add(INTERPRETED, service(prepared, self._strict, self._folder, name="sources", interpreted=True))

    def gateways(self) -> None:
        upstream_port = self._lenient
        for name, start, dialect in (
            (TENSORZERO, tensorzero, TENSORZERO_DIALECT),
            (PORTKEY, portkey, portkey_dialect(upstream_port)),
            (LITELLM, litellm, LITELLM_DIALECT),
        ):
            folder = installed(name.lower())
            if folder is None:
                self._miss(name, "not installed (python -m bench proxy --install-peers)")
                continue
            try:
                self.add(name, start(folder, upstream_port, self._folder), dialect)
            except BenchError as error:
                self._miss(name, f"did not start: {error}")
                continue
            self.versions[name] = locked_version(name.lower())

    def _miss(self, name: str, reason: str) -> None:
        self.absent[name] = reason
        self._tell(f"proxy: {name} IS LEFT OUT: {reason}")
