"""The listening sockets of several processes on one address: the system spreads connections over them."""

import socket
from typing import Final

BACKLOG: Final = 1024


def open_listeners(host: str, port: int, count: int) -> tuple[socket.socket, ...]:
    """`count` listening sockets on one address (SO_REUSEPORT). Port 0 is any free one, the same for all.

    Raises OSError when the address is in use, also by somebody who would share it.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # Sharing a port is a right of the same user, so a second service would take half of the connections unseen.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        address = probe.getsockname()
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            listener = socket.socket(family, kind, protocol)
            opened.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
    except OSError:
        for listener in opened:
            listener.close()
        raise
    return tuple(opened)
