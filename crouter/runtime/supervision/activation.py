"""How a process is given its listening socket, and tells that it is ready: the protocols of systemd.

`sd_listen_fds(3)`: the socket is descriptor 3, `LISTEN_FDS` counts, `LISTEN_PID` names whose it is. `sd_notify(3)`: a
datagram to `NOTIFY_SOCKET`. So systemd may stand where `supervisor` does.
"""

import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Final

FIRST_DESCRIPTOR: Final = 3
READY: Final = b"READY=1"
STOPPING: Final = b"STOPPING=1"
SUPERVISED: Final = "CROUTER_SUPERVISED"
"""Set by our own supervisor: the process ends when that does."""
SHARED: Final = "CROUTER_SHARED"
"""Set by our own supervisor: a folder for what its processes share, which ends with it."""

_PR_SET_PDEATHSIG: Final = 1


class ActivationError(Exception):
    """What was handed over is not one listening stream socket."""


def inherited_socket(environ: Mapping[str, str], pid: int) -> socket.socket | None:
    """The listening socket that this process was started with, or None. Raises ActivationError."""
    if environ.get("LISTEN_PID") != str(pid):
        return None
    if environ.get("LISTEN_FDS") != "1":
        raise ActivationError("LISTEN_FDS: this service takes exactly one socket")
    try:
        listener = socket.socket(fileno=FIRST_DESCRIPTOR)
        is_listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    except OSError:
        raise ActivationError("LISTEN_FDS: descriptor 3 is no socket") from None
    if listener.type != socket.SOCK_STREAM or not is_listening:
        raise ActivationError("LISTEN_FDS: descriptor 3 is no listening stream socket")
    listener.setblocking(False)
    os.set_inheritable(FIRST_DESCRIPTOR, False)
    return listener


def is_managed(environ: Mapping[str, str]) -> bool:
    """Whether somebody waits to be told that this process is ready."""
    return bool(environ.get("NOTIFY_SOCKET"))


def tell_manager(environ: Mapping[str, str], state: bytes) -> None:
    """Tells whoever started this process `READY` or `STOPPING`; nothing if nobody asked."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    # A manager that has gone needs no answer; the process ends with it, or goes on without.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.connect(name)
        told.send(state)


def end_with_supervisor(environ: Mapping[str, str]) -> None:
    """Has the system end this process when its supervisor is gone, however that ended. Linux only."""
    supervisor = environ.get(SUPERVISED, "")
    if not supervisor or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    # It may have gone before that took effect.
    if os.getppid() != int(supervisor):
        os.kill(os.getpid(), signal.SIGTERM)
