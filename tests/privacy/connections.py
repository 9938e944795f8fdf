"""Watches which sockets a process holds, from outside, through the kernel's own tables. Linux only.

It looks a hundred times a second: a connection that lives shorter than that can be missed.
"""

import ipaddress
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

_PAUSE_SECONDS = 0.01
_LISTENING = "0A"
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, _DONE = 20, 0x301, 3
_SHOW_NAME_AND_PEER = 1 | 4
_NAME, _PEER = 0, 2


class ConnectionRecorder:
    """Collects where a process is connected to, while the block runs: `tcp HOST:PORT`, `udp HOST:PORT`, `unix PATH`."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.destinations: set[str] = set()
        self.listens: set[int] = set()
        self.looks = 0
        # A process that nobody may attach to shows its sockets to root only.
        self.may_look = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE_SECONDS):
            try:
                self._look()
            except (FileNotFoundError, ProcessLookupError):
                return  # the process is gone
            except PermissionError:
                self.may_look = False
                return

    def _look(self) -> None:
        before = frozenset(_socket_inodes(self._pid))
        unix = dict(_unix_sockets())
        connected: list[tuple[str, int, str]] = []
        for kind in ("tcp", "tcp6", "udp", "udp6"):
            for local_port, remote, state, inode in _internet_sockets(self._pid, kind):
                if inode not in before:
                    continue
                if state == _LISTENING and kind.startswith("tcp"):
                    self.listens.add(local_port)
                else:
                    connected.append((kind[:3], local_port, remote))
        # Who came to the port that the process listens on is no destination.
        self.destinations |= {f"{kind} {remote}" for kind, port, remote in connected if port not in self.listens}
        # The tables are read one after the other: a socket that came or went meanwhile is judged the next time.
        after = frozenset(_socket_inodes(self._pid))
        self.destinations |= {f"unix {path}" for path in _unix_destinations(before & after, before | after, unix)}
        self.looks += 1


def _socket_inodes(pid: int) -> Iterator[int]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            yield int(target[8:-1])


def _internet_sockets(pid: int, kind: str) -> Iterator[tuple[int, str, str, int]]:
    path = Path(f"/proc/{pid}/net/{kind}")
    if not path.exists():
        return
    for line in path.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        yield int(fields[1].rpartition(":")[2], 16), _address(fields[2]), fields[3], int(fields[9])


def _address(text: str) -> str:
    packed, _, port = text.partition(":")
    # Words of 32 bits in the machine's own order.
    words = struct.unpack(f">{len(packed) // 8}I", bytes.fromhex(packed))
    address = ipaddress.ip_address(struct.pack(f"={len(words)}I", *words))
    return f"{address}:{int(port, 16)}"


def _unix_destinations(
    lasting: frozenset[int], own: frozenset[int], sockets: dict[int, dict[int, bytes]]
) -> Iterator[str]:
    for inode in lasting:
        peer = int.from_bytes(sockets.get(inode, {}).get(_PEER, b"")[:4], sys.byteorder)
        # Both ends within the process: how a signal or another thread wakes its event loop.
        if peer and peer not in own:
            name = sockets.get(peer, {}).get(_NAME, b"(no name)")
            yield os.fsdecode(name.strip(b"\0"))


def _unix_sockets() -> Iterator[tuple[int, dict[int, bytes]]]:
    """Inode and attributes of every Unix socket: sock_diag(7)."""
    request = struct.pack("=BBHIIIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW_NAME_AND_PEER, 0, 0)
    head = struct.pack("=IHHII", 16 + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as link:
        link.settimeout(2)
        link.send(head + request)
        while True:
            data = link.recv(1 << 18)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind == _DONE:
                    return
                if kind == _SOCK_DIAG_BY_FAMILY:
                    (inode,) = struct.unpack_from("=I", data, 20)
                    yield inode, dict(_attributes(data[32:length]))
                data = data[(length + 3) & ~3 :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        yield kind, data[4:length]
        data = data[(length + 3) & ~3 :]
