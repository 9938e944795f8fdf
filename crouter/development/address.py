"""Where a development run listens: on this machine only, and on a port that nobody else has."""

import errno
import socket
from urllib.parse import urlsplit

from crouter.development.errors import DevelopmentError
from crouter.runtime.settings import DEFAULT_LISTEN, is_loopback

PORT_HINT = "choose another one: `crouter run --port 8081`, or CROUTER_LISTEN=127.0.0.1:8081"


def listen_address(listen: str, port: int | None) -> tuple[str, int]:
    """Host and port from HOST:PORT, which may be empty; `port` goes before it. Raises DevelopmentError."""
    try:
        parts = urlsplit(f"//{listen.strip() or DEFAULT_LISTEN}")
        host, listed = parts.hostname, parts.port
    except ValueError:
        host, listed = None, None
    if host is None or listed is None:
        raise DevelopmentError("CROUTER_LISTEN is not HOST:PORT", f"leave it out, or set it as in {DEFAULT_LISTEN}")
    if not is_loopback(host):
        raise DevelopmentError(
            f"crouter run listens on this machine only, and {host} can be reached from others",
            "use 127.0.0.1; a service for others is `crouter serve`, with settings of its own",
        )
    return host, listed if port is None else port


def joined(host: str, port: int) -> str:
    """HOST:PORT, with brackets around an address that holds colons."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def require_free(host: str, port: int) -> None:
    """Refuse a port that cannot be listened on, before anything is started. Raises DevelopmentError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As the service does: connections of an earlier run that are still closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as problem:
            raise unusable(host, port, problem) from None


def unusable(host: str, port: int, problem: OSError) -> DevelopmentError:
    """Why that address cannot be listened on."""
    if problem.errno == errno.EADDRINUSE:
        return DevelopmentError(f"port {port} is taken by another program", PORT_HINT)
    return DevelopmentError(f"{joined(host, port)} cannot be listened on: {problem.strerror}", PORT_HINT)
