"""What is compared: each peer as a process and a port, all in front of one upstream and all running at once.

Peers that wait use no processor time, so they are measured in turns without being started anew.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.errors import BenchError
from bench.proxying.nginx import nginx, nginx_program
from bench.proxying.processes import Cores, module, on_core, resident_mib
from bench.proxying.service import Store, service, store

DIRECT, NGINX, PLAIN, CROUTER = "direct", "nginx", "plain aiohttp", "Crouter"


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to the upstream. `pid` is None where nothing stands between; `idle_mib` is its memory before any load."""

    name: str
    port: int
    pid: int | None
    idle_mib: float | None


@dataclass(frozen=True, slots=True)
class Field:
    """All peers, the key that Crouter admits, and its database."""

    peers: tuple[Peer, ...]
    prepared: Store

    def usage_rows(self) -> int:
        """How many requests Crouter has metered so far."""
        with psycopg.connect(self.prepared.dsn) as connection:
            return sum(int(count) for (count,) in connection.execute("SELECT count(*) FROM crouter.usage"))

    def peer(self, name: str) -> Peer | None:
        """The peer of that name, or None where it is not installed."""
        return next((peer for peer in self.peers if peer.name == name), None)


@contextmanager
def running_peers(policy: Path, cores: Cores) -> Iterator[Field]:
    """Starts upstream, database and every peer. Raises BenchError, ClusterError."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crouter-bench-")))
        prepared = stack.enter_context(store(policy, folder))
        _, upstream = stack.enter_context(module("bench.proxying.upstream"))
        peers = [Peer(DIRECT, upstream, None, None)]
        with on_core(cores.proxy):
            path = nginx_program()
            if path is not None:
                peers.append(_peer(NGINX, *stack.enter_context(nginx(path, upstream, folder))))
            origin = f"http://127.0.0.1:{upstream}"
            peers.append(_peer(PLAIN, *stack.enter_context(module("bench.proxying.passthrough", origin))))
            peers.append(_peer(CROUTER, *stack.enter_context(service(prepared, upstream, folder))))
        yield Field(tuple(peers), prepared)


def _peer(name: str, pid: int, port: int) -> Peer:
    return Peer(name, port, pid, resident_mib(pid))


def require_metered(field: Field, answers: int) -> None:
    """Raises BenchError unless Crouter has written one usage row for every answer that it gave."""
    rows = field.usage_rows()
    if rows != answers:
        raise BenchError(f"Crouter gave {answers} answers and has metered {rows}")
