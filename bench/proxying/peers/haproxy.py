"""HAProxy as a plain reverse proxy: one thread, connections kept open on both sides, no log."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.proxying.processes import free_port, program, wait_until_listening

_CONFIGURATION = """\
global
    nbthread 1
    maxconn 8192
defaults
    mode http
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    option http-no-delay
    http-reuse always
frontend front
    bind 127.0.0.1:{port} backlog 4096
    default_backend origin
backend origin
    server origin 127.0.0.1:{upstream} pool-max-conn 8192
"""


def haproxy_program() -> str | None:
    """Where HAProxy is installed, or None."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def haproxy(path: str, upstream: int, folder: Path) -> Iterator[tuple[int, int]]:
    """HAProxy in front of the upstream's port: gives process id and port."""
    port = free_port()
    configuration = folder / "haproxy.cfg"
    configuration.write_text(_CONFIGURATION.format(upstream=upstream, port=port), encoding="utf-8")
    with program(path, "-db", "-q", "-f", str(configuration)) as process:
        wait_until_listening(port, process)
        yield process.pid, port
