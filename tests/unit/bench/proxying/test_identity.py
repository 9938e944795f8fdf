"""The pass-throughs hand on what they are given, and one that does not is found."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.proxying.dialects import Dialect
from bench.proxying.field import MINIMAL, PLAIN, TUNED, Peer
from bench.proxying.identity import SAME_BYTES, SAME_TEXT, compared
from bench.proxying.load import Exchange, Shape, drive
from bench.proxying.peers.haproxy import haproxy, haproxy_program
from bench.proxying.peers.nginx import nginx, nginx_program
from bench.proxying.processes import module
from bench.proxying.traffic import JSON, LARGE, STREAM, Workload, workloads
from bench.proxying.upstream import upstream
from bench.proxying.watch import Watch

pytestmark = pytest.mark.usefixtures("compiler")
MODULES = {MINIMAL: "minimal", TUNED: "tuned", PLAIN: "plain"}


@pytest.fixture(scope="module")
def port(compiler: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with upstream(tmp_path_factory.mktemp("upstream")) as port:
        yield port


def through(peer: Peer, workload: Workload) -> None:
    assert compared(peer, workload, "key") == SAME_BYTES
    exchange = Exchange(peer.port, peer.dialect.request(workload, peer.port, "key"), workload.content)
    watch = Watch(peer.pid, core=0)
    load = drive(exchange, Shape(4, 0.1, 0.05), begins=watch.mark, ends=watch.mark)
    assert load.all_answers > 0
    used = watch.used()
    assert used.elapsed_seconds > 0
    assert used.cpu_seconds >= 0
    assert used.resident_mib > 1


@pytest.mark.parametrize("name", MODULES)
def test_a_pass_through_hands_on_every_byte(name: str, port: int) -> None:
    origin = str(port) if name == MINIMAL else f"http://127.0.0.1:{port}"
    with module(f"bench.proxying.peers.{MODULES[name]}", origin) as (pid, own_port):
        for workload in (JSON, LARGE, STREAM):
            through(Peer(name, own_port, pid, None), workloads()[workload])


def test_reverse_proxies_hand_on_every_byte(port: int, tmp_path: Path) -> None:
    paths = nginx_program(), haproxy_program()
    if None in paths:
        pytest.skip("NGINX OR HAPROXY IS NOT INSTALLED (Debian: nginx-light, haproxy)")
    with ExitStack() as stack:
        for path, start in zip(paths, (nginx, haproxy), strict=True):
            pid, own_port = stack.enter_context(start(str(path), port, tmp_path))
            for workload in (JSON, LARGE, STREAM):
                through(Peer(str(path), own_port, pid, None), workloads()[workload])


def test_a_peer_that_answers_otherwise_is_found(port: int) -> None:
    changed = Workload(JSON, workloads()[JSON].body, b"", workloads()[JSON].content.replace(b"usage", b"usagf"))
    with pytest.raises(BenchError, match="changes the answer"):
        compared(Peer("direct", port, None, None), changed, "key")


def test_a_peer_that_may_translate_has_to_say_the_same(port: int) -> None:
    peer = Peer("translator", port, None, None, Dialect(keeps_bytes=False))
    whole = workloads()[JSON]
    spaced = Workload(JSON, whole.body, b"", whole.content.replace(b'":', b'": '))
    assert compared(peer, spaced, "key") == SAME_TEXT


def test_a_peer_that_refuses_is_found(port: int) -> None:
    refused = Workload(JSON, b"{}", b"", workloads()[JSON].content)
    with pytest.raises(BenchError, match="status 409"):
        compared(Peer("direct", port, None, None), refused, "key")
