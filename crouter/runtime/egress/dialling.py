"""Opens sockets to one origin: looks its name up, tries the addresses in turn, and speaks TLS where it is due.

RFC 8305 in its simple form: addresses of both families take turns, a new one is tried when the one before has not
answered for a moment. Looked-up addresses are kept for a minute.
"""

import asyncio
import contextlib
import ipaddress
import itertools
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from crouter.runtime.egress.connection import Connection

HEAD_START_SECONDS: Final = 0.25
ADDRESSES_KEPT_SECONDS: Final = 60.0
# An answer may be silent for an hour; whether the other machine is still there is asked meanwhile.
_KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))

Address = tuple[socket.AddressFamily, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where to; `tls` is None for plain http."""

    host: str
    port: int
    tls: ssl.SSLContext | None


class Dialler:
    """Opens connections to one origin."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._looked_up: tuple[float, list[Address]] | None = None
        self._looking_up: asyncio.Task[list[Address]] | None = None

    async def dial(self, made: Callable[[], Connection]) -> Connection:
        """Opens a connection; TLS is verified when it is returned. Raises OSError (ssl.SSLError is one)."""
        opened = await self.open()
        tls = self._origin.tls
        # From here on the socket is the transport's, which closes it when anything fails.
        _, connection = await asyncio.get_running_loop().create_connection(
            cast(Callable[[], asyncio.Protocol], made),
            sock=opened,
            ssl=tls,
            server_hostname=self._origin.host if tls else None,
        )
        return cast(Connection, connection)

    async def open(self) -> socket.socket:
        """A connected socket without TLS, the caller's from now on. Raises OSError."""
        return await first_connected(await self._addresses())

    async def close(self) -> None:
        """Ends a look-up that is under way."""
        if self._looking_up is not None:
            self._looking_up.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await self._looking_up

    async def _addresses(self) -> list[Address]:
        origin = self._origin
        if literal := _literal(origin.host, origin.port):
            return [literal]
        now = asyncio.get_running_loop().time()
        if self._looked_up is not None and now - self._looked_up[0] < ADDRESSES_KEPT_SECONDS:
            return self._looked_up[1]
        # One look-up for all who wait, shielded from each of them leaving.
        if self._looking_up is None or self._looking_up.done():
            self._looking_up = asyncio.create_task(self._look_up())
        return await asyncio.shield(self._looking_up)

    async def _look_up(self) -> list[Address]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._origin.host, self._origin.port, type=socket.SOCK_STREAM)
        addresses = in_turns([(family, address) for family, _, _, _, address in found])
        self._looked_up = (loop.time(), addresses)
        return addresses


def in_turns(addresses: Sequence[Address]) -> list[Address]:
    """The same addresses, families alternating, beginning with the family that came first."""
    families = list(dict.fromkeys(family for family, _ in addresses))
    queues = [[address for address in addresses if address[0] == family] for family in families]
    return [address for turn in itertools.zip_longest(*queues) for address in turn if address is not None]


async def first_connected(addresses: Sequence[Address]) -> socket.socket:
    """A socket connected to the first address that answers. Raises OSError when none does."""
    assert addresses, "a look-up gives an address or fails"
    trying: set[asyncio.Task[socket.socket]] = set()
    left = list(addresses)
    failed: BaseException | None = None
    try:
        while trying or left:
            if left:
                trying.add(asyncio.create_task(_connected(left.pop(0))))
            done, trying = await asyncio.wait(
                trying, timeout=HEAD_START_SECONDS if left else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                failed = task.exception()
                if failed is None:
                    trying |= done - {task}
                    return task.result()
    finally:
        for task in trying:
            task.cancel()
            task.add_done_callback(_closed)
    assert failed is not None
    raise failed


async def _connected(address: Address) -> socket.socket:
    family, where = address
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE:
            if hasattr(socket, name):
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        await asyncio.get_running_loop().sock_connect(opened, where)
    except BaseException:
        opened.close()
        raise
    return opened


def _closed(task: "asyncio.Task[socket.socket]") -> None:
    """Closes the socket of an attempt that came second."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _literal(host: str, port: int) -> Address | None:
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    return (socket.AF_INET, (host, port)) if version == 4 else (socket.AF_INET6, (host, port, 0, 0))
